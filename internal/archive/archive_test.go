package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// idAt makes the id of a change some milliseconds after the first.
func idAt(ms int64) messaging.ID {
	var id messaging.ID
	binary.BigEndian.PutUint64(id[:8], uint64(1_790_000_000_000+ms)<<16|7<<12)
	id[8] = 0x80
	return id
}

// stamp is the time of an id in the format of lines.
func stamp(id messaging.ID) string { return id.Time().Format("2006-01-02T15:04:05.000Z07:00") }

// records is a small store: lines 1 to 6 of its export, before the end in line 7.
func records() []messaging.Record {
	fingerprint := sha256.Sum256([]byte("a body"))
	return []messaging.Record{
		{Message: &messaging.StoredMessage{
			Message:   messaging.Message{ID: idAt(0), Sender: "alice", Recipient: "bob", Text: "<é> \u2028 \u0085 hello", Metadata: `{"n":12345678901234567890,"huge":1e400}`},
			KeyRecord: messaging.NewKeyRecord("key", fingerprint[:]),
		}},
		{Message: &messaging.StoredMessage{Message: messaging.Message{ID: idAt(1), Sender: "bob", Recipient: "alice", Text: "edited", ReplyTo: new(idAt(0)), Changed: new(idAt(5))}}},
		{Message: &messaging.StoredMessage{Message: messaging.Message{ID: idAt(2), Sender: "bob", Recipient: "alice", Changed: new(idAt(6)), Deleted: true}, KeyRecord: messaging.NewKeyRecord("key", fingerprint[:])}},
		{ReadMarker: &messaging.ReadMarker{Owner: "alice", Peer: "bob", MessageID: idAt(1), Changed: idAt(7)}},
		{ReadMarker: &messaging.ReadMarker{Owner: "bob", Peer: "alice", MessageID: idAt(0), Changed: idAt(8)}},
		{Block: &messaging.Block{Owner: "bob", Peer: "mallory", Changed: idAt(9)}},
	}
}

// export returns the lines of the store.
func export(t testing.TB) []string {
	t.Helper()
	var file bytes.Buffer
	w := newWriter(&file, true)
	for _, r := range records() {
		if err := w.write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.end(); err != nil {
		t.Fatal(err)
	}
	return slices.Collect(strings.Lines(file.String()))
}

// seal appends the last line, with the right number and checksum.
func seal(lines []string) []string {
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	return append(lines, fmt.Sprintf(`{"type":"end","records":%d,"sha256":"%x"}`+"\n", len(lines), sum))
}

// exportOf exports a database.
func exportOf(t *testing.T, database *db.DB) string {
	t.Helper()
	var file bytes.Buffer
	if _, err := Export(context.WithoutCancel(t.Context()), database, &file); err != nil {
		t.Fatal(err)
	}
	return file.String()
}

// withoutMailboxes takes the lines of mailboxes out of an export: earlier versions wrote none.
func withoutMailboxes(file string) string {
	lines := slices.Collect(strings.Lines(file))
	lines = slices.DeleteFunc(lines[:len(lines)-1], func(line string) bool { return strings.HasPrefix(line, `{"type":"mailbox"`) })
	return strings.Join(seal(lines), "")
}

// TestRecorded imports a file that an earlier version has written, and exports the same bytes, but for the mailboxes:
// messages that are edited, deleted, keyed and replied to, texts and metadata that are hard to
// write, read markers and blocks.
func TestRecorded(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		recorded, err := os.ReadFile("testdata/recorded.ndjson")
		if err != nil {
			t.Fatal(err)
		}
		database := dbtest.Open(t, dbtest.NewURL(t, engine))
		stored, err := Import(t.Context(), database, Read(bytes.NewReader(recorded)))
		if lines := int64(bytes.Count(recorded, []byte("\n"))); err != nil || stored != lines-1 {
			t.Fatalf("imported %d of %d lines: %v", stored, lines, err)
		}
		if again := withoutMailboxes(exportOf(t, database)); again != string(recorded) {
			t.Errorf("exported again:\n%s\nwant\n%s", again, recorded)
		}
		if engine == db.Postgres {
			var columns int
			err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
				return sqlx.GetContext(ctx, q, &columns, "SELECT count(*) FROM pg_stats WHERE tablename = 'messages'")
			})
			if err != nil || columns == 0 {
				t.Errorf("there are no statistics of the messages: %v", err)
			}
		}
	})
}
