package main

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/dbtest"
)

// secrets are words, each in one message or in an earlier version of one.
type secrets struct {
	random *rand.Rand
	next   int
}

// word is a word that shares with others nothing, its beginning, or beginning and end: an index
// compresses common prefixes.
func (s *secrets) word() string {
	s.next++
	letters := make([]byte, 10)
	for i := range letters {
		letters[i] = byte('a' + s.random.IntN(26))
	}
	switch s.random.IntN(3) {
	case 0:
		return fmt.Sprintf("zqx%s%06dword", letters, s.next)
	case 1:
		return fmt.Sprintf("zqxsecretword%06d", s.next)
	default:
		return fmt.Sprintf("zqxsecret%06dword", s.next)
	}
}

// message has a secret in its text and one in its metadata, and a random length.
func (s *secrets) message(sender, recipient string) (client.SendMessageRequest, [][]byte) {
	inText, inMetadata := s.word(), s.word()
	text := inText
	for size := s.random.IntN(1 << (4 + s.random.IntN(9))); len(text) < size-20; {
		text += " " + fmt.Sprintf("w%x", s.random.IntN(5000))
	}
	request := client.SendMessageRequest{Sender: sender, Recipient: recipient, Text: text}
	request.Metadata = client.Metadata{"note": inMetadata}
	return request, [][]byte{[]byte(inText), []byte(inMetadata)}
}

// contentOf returns the content of all files of a database.
func contentOf(t *testing.T, path string) (all []byte) {
	t.Helper()
	files, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		all = append(all, content...)
	}
	return all
}

// found returns the words that occur in any file of a database.
func found(t *testing.T, path string, words [][]byte) map[string]bool {
	t.Helper()
	wanted, lengths := map[string]bool{}, map[int]bool{}
	for _, word := range words {
		wanted[string(word)] = true
		lengths[len(word)] = true
	}
	left := map[string]bool{}
	all := contentOf(t, path)
	for at := bytes.Index(all, []byte("zqx")); at >= 0; at = bytes.Index(all, []byte("zqx")) {
		all = all[at:]
		for length := range lengths {
			if word := all[:min(length, len(all))]; wanted[string(word)] {
				left[string(word)] = true
			}
		}
		all = all[1:]
	}
	return left
}

// TestErasedIsGone sends messages of all sizes, so that B-tree pages are split and merged, edits
// and deletes many of them and erases users. Within five seconds no file of the running server
// may contain any erased word, and all others must be there.
func TestErasedIsGone(t *testing.T) {
	t.Parallel()
	s := secrets{random: rand.New(rand.NewPCG(1, 2))}
	path := filepath.Join(t.TempDir(), "test.db")
	server := startProcess(t, "sqlite:"+path)

	type sent struct {
		message client.Message
		words   [][]byte
	}
	var mu sync.Mutex
	var kept []sent
	var erased [][]byte
	send := func(n int) {
		var group sync.WaitGroup
		for i := range n {
			if i%200 == 0 {
				group.Wait()
			}
			request, words := s.message(fmt.Sprint("user", s.random.IntN(8)), fmt.Sprint("user", s.random.IntN(8)))
			group.Go(func() {
				m := server.SendRequest(t, request)
				mu.Lock()
				defer mu.Unlock()
				kept = append(kept, sent{m, words})
			})
		}
		group.Wait()
	}
	n := dbtest.Size(40, 200, 2000)
	for range 3 {
		send(n)
		s.random.Shuffle(len(kept), func(i, j int) { kept[i], kept[j] = kept[j], kept[i] })
		for i := range n * 3 / 10 { // edited
			request, words := s.message("", "")
			server.Edit(t, kept[i].message.ID, client.EditMessageRequest{Text: &request.Text, Metadata: nullable.NewNullableWithValue(map[string]any(request.Metadata))})
			erased = append(erased, kept[i].words...)
			kept[i].words = words
		}
		for _, m := range kept[:n*9/20] {
			server.Delete(t, m.message.ID)
			erased = append(erased, m.words...)
		}
		kept = kept[n*9/20:]
	}
	server.Erase(t, "user0")
	last := time.Now()
	var words [][]byte
	for _, m := range kept {
		if m.message.Sender == "user0" || m.message.Recipient == "user0" {
			erased = append(erased, m.words...)
		} else {
			words = append(words, m.words...)
		}
	}
	var left map[string]bool
	for first := true; first || len(left) > 0 && time.Since(last) < 5*time.Second; first = false {
		left = found(t, path, erased)
	}
	if len(left) > 0 {
		t.Errorf("of %d words that were erased %d are still there: %.20q", len(erased), len(left), slices.Sorted(maps.Keys(left)))
	}
	t.Logf("gone after %s", time.Since(last))
	if lost := len(words) - len(found(t, path, words)); lost > 0 {
		t.Errorf("%d of %d words that were not erased are missing", lost, len(words))
	}
}
