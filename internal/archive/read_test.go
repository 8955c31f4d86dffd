package archive

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/panics"
)

// TestReadEarlierVersion imports lines that have idempotency keys themselves, as earlier
// versions wrote them, also of a message that was deleted, which then had no fingerprint.
func TestReadEarlierVersion(t *testing.T) {
	t.Parallel()
	fingerprint := sha256.Sum256([]byte("a body"))
	lines := export(t)[:6]
	want := messaging.NewKeyRecord("key", fingerprint[:])
	record := fmt.Sprintf(`"keyHash":"%x","fingerprint":"%x"`, want.Hash, want.Fingerprint)
	for line, earlier := range []string{fmt.Sprintf(`"idempotencyKey":"key","fingerprint":"%x"`, fingerprint), "", `"idempotencyKey":"key"`} {
		if earlier != "" {
			if !strings.Contains(lines[line], record) {
				t.Fatalf("%s has no %s", lines[line], record)
			}
			lines[line] = strings.Replace(lines[line], record, earlier, 1)
		}
	}
	var keys []messaging.KeyRecord
	for r, err := range Read(strings.NewReader(strings.Join(seal(lines), ""))) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Message != nil {
			keys = append(keys, r.Message.KeyRecord)
		}
	}
	if !reflect.DeepEqual(keys, []messaging.KeyRecord{want, {}, {Hash: want.Hash}}) {
		t.Errorf("read the records of keys %x", keys)
	}
}

// TestReadInvisibleText reads a text without visible characters, as earlier versions stored some.
func TestReadInvisibleText(t *testing.T) {
	t.Parallel()
	lines := export(t)[:6]
	lines[1] = strings.Replace(lines[1], "edited", "\u200b", 1)
	texts := ""
	for r, err := range Read(strings.NewReader(strings.Join(seal(lines), ""))) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Message != nil {
			texts += r.Message.Text + "/"
		}
	}
	if !strings.Contains(texts, "/\u200b/") {
		t.Errorf("read the texts %+q", texts)
	}
}

// TestReadPanics reads from a reader that panics: that is an error of the line, not the end of the process.
func TestReadPanics(t *testing.T) {
	t.Parallel()
	for _, err := range Read(panicking{}) {
		if !errors.Is(err, panics.Err) || !strings.HasPrefix(err.Error(), "line 1: ") {
			t.Errorf("read, %v", err)
		}
	}
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("out of order") }

// FuzzRead reads any input: Read must not panic, and what it accepts, written again, must be
// read as the same records.
func FuzzRead(f *testing.F) {
	lines := slices.Concat(export(f), linesOf(f, grouped()))
	all := strings.Join(lines, "")
	f.Add([]byte(all))
	f.Add([]byte(all[:len(all)/2]))
	f.Add([]byte(strings.ReplaceAll(all, "\n", "\r\n")))
	f.Add([]byte("\n{}\n[]\nnull\n"))
	for _, line := range lines {
		f.Add([]byte(line))
		f.Add([]byte(strings.Join(seal([]string{line}), "")))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		// With a correct last line, Read checks more than the checksum.
		for _, file := range []string{string(file), strings.Join(seal([]string{strings.TrimSuffix(string(file), "\n") + "\n"}), "")} {
			var again bytes.Buffer
			w := newWriter(&again, true)
			read, ended := 0, false
			for record, err := range Read(strings.NewReader(file)) {
				if ended {
					t.Fatal("it goes on after an error")
				}
				if ended = err != nil; ended {
					if errors.Is(err, panics.Err) {
						t.Fatal(err)
					}
					continue
				}
				read++
				if err := w.write(record); err != nil {
					t.Fatalf("an accepted record cannot be written: %v", err)
				}
			}
			if err := w.end(); err != nil {
				t.Fatal(err)
			}
			for _, err := range Read(&again) {
				if read--; err != nil {
					t.Fatalf("an accepted record is refused when written again: %v", err)
				}
			}
			if read != 0 {
				t.Fatalf("%d records are lost", read)
			}
		}
	})
}
