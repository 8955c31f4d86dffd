package archive

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestImportDamaged imports files with one fault each. Each is refused with the number
// of a line and leaves nothing, so that the good file can be imported in the end.
func TestImportDamaged(t *testing.T) {
	t.Parallel()
	good := export(t)
	all, last := strings.Join(good, ""), len(good)
	type test struct {
		file string
		line int
		says string
	}
	// with replaces a part of a line and the end, so that only the line is wrong.
	with := func(line int, old, replacement string) string {
		t.Helper()
		lines := slices.Clone(good[:last-1])
		if !strings.Contains(lines[line-1], old) {
			t.Fatalf("line %d has no %s: %s", line, old, lines[line-1])
		}
		lines[line-1] = strings.Replace(lines[line-1], old, replacement, 1)
		return strings.Join(seal(lines), "")
	}
	join := func(lines ...string) string { return strings.Join(lines, "") }
	raw := func(old, replacement string) string { return strings.Replace(all, old, replacement, 1) }
	resealed := func(lines ...string) string { return join(seal(lines)...) }
	// moved gives the change of a line the id of another change.
	moved := func(line string, from, to int64) string {
		return strings.NewReplacer(idAt(from).String(), idAt(to).String(), stamp(idAt(from)), stamp(idAt(to))).Replace(line)
	}
	// later moves the change of the line to tomorrow.
	later := func(line int, from int64) string {
		lines := slices.Clone(good[:last-1])
		tomorrow := time.Now().Add(24*time.Hour).UnixMilli() - idAt(0).Time().UnixMilli()
		lines[line] = moved(lines[line], from, tomorrow)
		return strings.Join(seal(lines), "")
	}
	ahead := func(by time.Duration) string {
		return strings.Join(seal([]string{moved(good[0], 0, time.Now().Add(by).UnixMilli()-idAt(0).Time().UnixMilli())}), "")
	}
	tests := map[string]test{
		"empty file":          {"", 1, "cut short"},
		"flipped byte":        {raw("hello", "hellp"), last, "checksum"},
		"missing line":        {join(good[0], good[2], good[3], good[4], good[5], good[6]), last - 1, "5 lines come before the end, and it says 6"},
		"line there twice":    {join(good[0], good[0], good[1], good[2], good[3], good[4], good[6]), 2, "order"},
		"swapped messages":    {join(good[1], good[0], good[2], good[3], good[4], good[5], good[6]), 2, "order"},
		"swapped, and sealed": {resealed(good[1], good[0]), 2, "order"},
		"swapped markers":     {resealed(good[0], good[4], good[3]), 3, "order"},
		"block there twice":   {resealed(good[5], good[5]), 2, "order"},
		"message after block": {resealed(good[5], good[0]), 2, "order"},
		"key there twice": {resealed(good[0], strings.NewReplacer(
			idAt(0).String(), idAt(1).String(), "20.000Z", "20.001Z").Replace(good[0])), 2, "idempotency key"},
		"wrong record count":        {raw(`"records":6`, `"records":7`), last, "it says 7"},
		"wrong checksum":            {raw(`"sha256":"`, `"sha256":"0`)[:len(all)-2] + "}\n", last, ""},
		"end without records":       {raw(`"records":6,`, ``), last, "lacks records"},
		"junk behind the end":       {all + "x", last + 1, "follows the end"},
		"empty line behind the end": {all + "\n", last + 1, "follows the end"},
		"two files":                 {all + all, last + 1, "follows the end"},
		"no JSON":                   {with(2, `{`, `<`), 2, "no JSON"},
		"empty line":                {resealed(good[0], "\n", good[1]), 2, "no JSON"},
		"two values in a line":      {with(2, "\n", " {}\n"), 2, "no JSON"},
		"member there twice":        {with(2, `{`, `{"type":"message",`), 2, "duplicate"},
		"not UTF-8":                 {with(2, "edited", "\xff"), 2, "UTF-8"},
		"array":                     {resealed("[]\n"), 1, "object"},
		"CRLF":                      {strings.ReplaceAll(all, "\n", "\r\n"), 1, "carriage return"},
		"byte order mark":           {"\ufeff" + all, 1, "no JSON"},
		"line too long":             {with(1, "hello", strings.Repeat("x", 1<<20)), 1, "too long"},
		"unknown type":              {with(2, `"type":"message"`, `"type":"massage"`), 2, "type"},
		"other type":                {with(2, `"type":"message"`, `"type":"block"`), 2, "contradicts"},
		"type only":                 {resealed(`{"type":"message"}` + "\n"), 1, "lacks"},
		"unknown member":            {with(1, `"sender"`, `"subject":"x","sender"`), 1, "subject"},
		"unknown member of line":    {with(1, `"type"`, `"x":1,"type"`), 1, `"x"`},
		"member of another type":    {with(1, `"type"`, `"records":1,"type"`), 1, "contradicts"},
		"bad user id":               {with(1, `"alice"`, `"~alice"`), 1, "/message/sender"},
		"no recipient":              {with(1, `"recipient":"bob",`, ``), 1, "recipient"},
		"bad id":                    {with(1, idAt(0).String(), "x"), 1, "/message/id"},
		"bad digit in an id":        {with(1, idAt(0).String(), "G"+idAt(0).String()[1:]), 1, ""},
		"id in braces":              {with(1, idAt(0).String(), "{"+idAt(0).String()+"}"), 1, "/message/id"},
		"id of version 4":           {with(1, "7000-8", "4000-8"), 1, "version 7"},
		"change of version 4":       {with(6, "7000-8", "4000-8"), 6, "version 7"},
		"text too long":             {with(1, "hello", strings.Repeat("😀", 4096)), 1, "/message/text: maximum string length is 4096"},
		"text with U+0000":          {with(1, "hello", `\u0000`), 1, "text"},
		"no text":                   {with(2, "edited", ""), 2, "text"},
		"metadata null":             {with(1, `{"n":12345678901234567890,"huge":1e400}`, `null`), 1, "metadata"},
		"metadata too large":        {with(1, `{"n":1`, `{"x":"`+strings.Repeat("x", 4096)+`","n":1`), 1, "metadata"},
		"metadata too deep":         {with(1, `{"n":12345678901234567890,"huge":1e400}`, strings.Repeat(`{"n":`, 31)+"1"+strings.Repeat("}", 31)), 1, "metadata"},
		"another time of sending":   {with(1, "20.000Z", "20.001Z"), 1, "contradicts"},
		"edited without changed":    {with(2, `,"changed":"`+idAt(5).String()+`"`, ``), 2, "contradicts"},
		"another time of an edit":   {with(2, `"changed":"`+idAt(5).String(), `"changed":"`+idAt(6).String()), 2, "contradicts"},
		"edited and deleted":        {with(3, `"deletedAt"`, `"editedAt":"2026-09-21T14:13:20.006Z","deletedAt"`), 3, "contradicts"},
		"deleted message with text": {with(3, `"text":""`, `"text":"x"`), 3, "content"},
		"changed before sent": {with(2, `"editedAt":"2026-09-21T14:13:20.005Z"},"changed":"`+idAt(5).String(),
			`"editedAt":"2026-09-21T14:13:20.000Z"},"changed":"`+idAt(0).String()), 2, "before it was sent"},
		"key without fingerprint":     {with(1, `,"fingerprint":"`, `,"x":"`), 1, `"x"`},
		"fingerprint without a key":   {with(1, `"keyHash":"`+fmt.Sprintf("%x", sha256.Sum256([]byte("key")))+`",`, ``), 1, "go together"},
		"short fingerprint":           {with(1, `"fingerprint":"`, `"fingerprint":"0`), 1, "/fingerprint"},
		"bad hash of a key":           {with(1, `"keyHash":"`, `"keyHash":"x`), 1, "/keyHash"},
		"bad idempotency key":         {with(1, `"keyHash"`, `"idempotencyKey":" key","keyHash"`), 1, "/idempotencyKey"},
		"key and its hash":            {with(1, `"keyHash"`, `"idempotencyKey":"key","keyHash"`), 1, "contradicts"},
		"reply to itself":             {with(2, `"replyTo":"`+idAt(0).String(), `"replyTo":"`+idAt(1).String()), 2, "replies to itself"},
		"block of oneself":            {with(6, `"mallory"`, `"bob"`), 6, "block themselves"},
		"message of tomorrow":         {ahead(24 * time.Hour), 1, "future"},
		"message of in two minutes":   {ahead(2 * time.Minute), 1, "future"},
		"message of the year 10100":   {strings.Join(seal([]string{strings.Replace(good[0], idAt(0).String(), idAt(255_000_000_000_000).String(), 1)}), ""), 1, "contradicts"},
		"edit of tomorrow":            {later(1, 5), 2, "future"},
		"marker of tomorrow":          {later(3, 7), 4, "future"},
		"block of tomorrow":           {later(5, 9), 6, "future"},
		"id with a space":             {with(5, `"peer":"alice"`, `"peer":"al ice"`), 5, "/readMarker/peer: must be 1 to 128 letters"},
		"marker beyond the newest":    {with(4, idAt(1).String(), idAt(4).String()), 4, "beyond the newest"},
		"marker without conversation": {with(5, `"peer":"alice"`, `"peer":"zoe"`), 5, "beyond the newest"},
		"two markers at one position": {resealed(good[0], good[1], good[2], good[3], moved(good[4], 8, 7)), 5, "position"},
		"block at a marker":           {resealed(good[0], good[1], good[2], good[3], good[4], moved(good[5], 9, 8)), 6, "position"},
		"edit at a deletion":          {resealed(good[0], moved(good[1], 5, 6), good[2]), 3, "position"},
		"read marker without changed": {with(4, `,"changed":"`+idAt(7).String()+`"`, ``), 4, "lacks"},
		"another time of a marker":    {with(4, "20.007Z", "20.008Z"), 4, "contradicts"},
		"another time of a block":     {with(6, "20.009Z", "20.008Z"), 6, "contradicts"},
	}
	for i := range good { // cut behind each line, and in the middle of each
		whole := join(good[:i]...)
		tests[fmt.Sprint("cut before line ", i+1)] = test{whole, i + 1, "cut short"}
		tests[fmt.Sprint("cut in line ", i+1)] = test{whole + good[i][:len(good[i])/2], i + 1, "cut short"}
		tests[fmt.Sprint("cut at the end of line ", i+1)] = test{whole + strings.TrimSuffix(good[i], "\n"), i + 1, "cut short"}
	}
	database := dbtest.Open(t, dbtest.NewURL(t, db.SQLite))
	for name, test := range tests {
		_, err := Import(t.Context(), database, Read(strings.NewReader(test.file)))
		if err == nil {
			t.Fatalf("%s: it was imported", name)
		}
		if at := fmt.Sprintf("line %d: ", test.line); !strings.HasPrefix(err.Error(), at) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v; want %s...%s", name, err, at, test.says)
		}
	}
	if _, err := Import(t.Context(), database, Read(strings.NewReader(all))); err != nil {
		t.Errorf("the good file after all the others: %v", err)
	}
	if again := withoutMailboxes(exportOf(t, database)); again != all {
		t.Errorf("imported and exported again:\n%s\nwant\n%s", again, all)
	}
}
