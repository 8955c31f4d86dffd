package demo

import (
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/message-service/message-service/internal/messaging"
)

func store(t *testing.T, until time.Time, messages int) []messaging.Record {
	t.Helper()
	records, err := Store(until, messages)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// TestStore makes stores that end at each hour of the day, in two sizes, and checks that each has
// exactly that many messages, all in the month before the end.
func TestStore(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("UTC+9", 9*60*60)
	for hour := range 24 {
		for _, messages := range []int{Least, 1000 + hour} {
			until := time.Date(2026, time.March, 1, hour, 7*hour%60, 59, 999_999_999, zone)
			found := 0
			for _, r := range store(t, until, messages) {
				if r.Message == nil {
					continue
				}
				found++
				last := r.Message.ID
				if r.Message.Changed != nil {
					last = *r.Message.Changed
				}
				if last.Time().After(until) || r.Message.ID.Time().Before(until.AddDate(0, 0, -31)) {
					t.Errorf("until %s: %q is of %s and %s", until, r.Message.Text, r.Message.ID.Time(), last.Time())
				}
			}
			if found != messages {
				t.Errorf("until %s: %d messages, want %d", until, found, messages)
			}
		}
	}
}

// TestStoreIsReproducible checks that the same end makes the same store, and another end another one.
func TestStoreIsReproducible(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, time.November, 24, 18, 0, 0, 0, time.UTC)
	if !reflect.DeepEqual(store(t, until, 700), store(t, until, 700)) {
		t.Error("two stores of the same end differ")
	}
	if reflect.DeepEqual(store(t, until, 700), store(t, until.Add(time.Millisecond), 700)) {
		t.Error("stores of different ends are equal")
	}
}

// TestStoreIsRich checks that the smallest store has every feature, and texts in many scripts.
func TestStoreIsRich(t *testing.T) {
	t.Parallel()
	found, members := map[string]int{}, map[string]int{}
	for _, r := range store(t, time.Now(), Least) {
		switch {
		case r.ReadMarker != nil:
			found["read markers"]++
		case r.Block != nil:
			found["blocks"]++
		case r.Group != nil:
			found["groups"]++
			members[r.Group.Address] = r.Group.MemberCount
		case r.Membership != nil:
			found["memberships"]++
			members[r.Membership.Group]--
		case r.Message.Deleted:
			found["deleted"]++
		case r.Message.Changed != nil:
			found["edited"]++
		case r.Message.ReplyTo != nil:
			found["replies"]++
		case r.Message.Metadata != "":
			found["metadata"]++
		case strings.Contains(r.Message.Text, "\n"):
			found["lines"]++
		}
		if m := r.Message; m != nil {
			for name, script := range unicode.Scripts {
				if strings.ContainsFunc(m.Text, func(c rune) bool { return unicode.Is(script, c) }) {
					found[name]++
				}
			}
			if strings.ContainsAny(m.Text, "{}") {
				t.Errorf("a placeholder was not replaced: %s", m.Text)
			}
		}
	}
	for group, missing := range members {
		if missing != 0 {
			t.Errorf("%s has %d members too few", group, missing)
		}
	}
	for _, what := range []string{"read markers", "blocks", "groups", "memberships", "deleted", "edited", "replies", "metadata", "lines",
		"Latin", "Greek", "Cyrillic", "Arabic", "Hebrew", "Devanagari", "Thai", "Han", "Hiragana", "Hangul"} {
		if found[what] == 0 {
			t.Errorf("there are no %s", what)
		}
	}
}

// TestScriptErrors checks that mistakes in a script are reported, by line or by text.
func TestScriptErrors(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		"alice: hi":                            "line 1: there is no conversation yet",
		"== alice & bob\nalice says hi":        "line 2: not a line of a script",
		"== alice & bob\ncarol: hi":            "line 2: carol is not in this conversation",
		"== alice & bob\n  hi":                 "line 2: there is no message to continue",
		"== alice & bob\n@ 40m\n@ noon":        "line 3: not a line of a script",
		"== alice & bob\n* alice forgets":      "line 2: not a line of a script",
		"== alice & bob\n* alice adds carol":   "line 2: only groups can be added to",
		"== ~a \"A\": alice & bob\ncarol: hi":  "line 2: carol is not in this conversation",
		"== alice & bob\n@ 99999999999999999m": "line 2: time: ",
	} {
		if _, err := parse(script); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", script, err, want)
		}
	}
	for script, want := range map[string]string{
		"== alice & bob\n@ 2d 10:00\nalice >x: hi":                      `"hi" replies to x, which is the label of no message`,
		"== alice & bob\n@ 2d 10:00\nalice: hi\n  {":                    "metadata {: ",
		"== alice & bob\n@ 2d 10:00\nalice: hi\n@ 3d 10:00\nbob: hello": `"hello" is not later than the line before it`,
	} {
		conversations, err := parse(script)
		if err != nil {
			t.Fatal(err)
		}
		p := &player{until: time.Now(), random: newRandom()}
		if err := p.play(conversations[0], moment{}); err == nil || !strings.HasPrefix(err.Error(), "alice & bob: "+want) {
			t.Errorf("%q: %v, want %s", script, err, want)
		}
	}
}

// TestNothingAfterTheEnd plays conversations that would last beyond the end.
func TestNothingAfterTheEnd(t *testing.T) {
	t.Parallel()
	conversations, err := parse("== alice & bob\n@ 1m\nalice !edited: one" + strings.Repeat("\nbob !edited: two\nalice !deleted: three\n* bob reads", 4))
	if err != nil {
		t.Fatal(err)
	}
	p := &player{until: time.Now(), random: newRandom()}
	for range 200 {
		if err := p.play(conversations[0], moment{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range p.messages {
		if m.ID.Time().After(p.until) || m.Changed.Time().After(p.until) {
			t.Errorf("%q is of %s and %s, after %s", m.Text, m.ID.Time(), m.Changed.Time(), p.until)
		}
	}
	if len(p.messages) < 200 || len(p.messages) > 1000 {
		t.Errorf("there are %d messages, want the first ones of each of 200 conversations", len(p.messages))
	}
}
