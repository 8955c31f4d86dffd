package apitest_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// TestTextSurvives sends texts and reads them back, byte for byte.
func TestTextSurvives(t *testing.T) {
	texts := map[string]string{
		"NFC":                      "caf\u00e9",
		"NFD":                      "cafe\u0301",
		"stacked combining marks":  "Z\u0351\u036b\u0343\u036a\u0302",
		"emoji family":             "👨\u200d👩\u200d👧\u200d👦 🏳\ufe0f\u200d🌈 👍🏽 🇺🇦",
		"right to left":            "\u202bשלום\u202c مرحبا hello",
		"surrounding white space":  "  \n\thello\r\n ",
		"quotes and operators":     `'; DROP TABLE messages; -- "\" $1 ? :name %s`,
		"markup":                   "<script>alert('&amp;')</script>\u2028\u2029",
		"controls but U+0000":      "\u0001\u0007\u001b[31m\u007f\u0085x",
		"noncharacters":            "\ufffe\uffff\U0001ffff",
		"replacement character":    "\ufffd",
		"byte order mark":          "\ufeffx",
		"last code point":          "\U0010ffff",
		"longest, of one byte":     strings.Repeat("x", 4096),
		"longest, of four bytes":   strings.Repeat("😀", 4096),
		"looks like JSON":          `{"a": [1, "\u0000"]}`,
		"not blank between blanks": "\u3000\u00a0.\u2003",
	}
	for plane := range rune(17) {
		texts[fmt.Sprintf("plane %d", plane)] = sample(plane)
	}
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		for name, text := range texts {
			sent := s.Send(t, "alice", "bob", text)
			if sent.Text != text {
				t.Errorf("%s: sent %q, answered %q", name, text, sent.Text)
			}
			read := apitest.Call(s.GetMessageWithResponse(t.Context(), sent.ID)).Must(t, http.StatusOK)
			if read.JSON200.Text != text {
				t.Errorf("%s: sent %q, read %s", name, text, read.Body)
			}
		}
	})
}

// sample returns code points spread over a plane of Unicode, without surrogates.
func sample(plane rune) string {
	var text strings.Builder
	for r := plane<<16 + 1; r>>16 == plane; r += 97 {
		if utf8.ValidRune(r) {
			text.WriteRune(r)
		}
	}
	return text.String()
}

// TestRandomText sends random texts and logs the seed.
func TestRandomText(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		random := rand.New(rand.NewPCG(seed, 0))
		s := apitest.Start(t, engine, messaging.Options{})
		for range 100 {
			runes := []rune{'x'}
			for range random.IntN(200) {
				if r := 1 + random.Int32N(utf8.MaxRune); utf8.ValidRune(r) {
					runes = append(runes, r)
				}
			}
			if sent := s.Send(t, "alice", "bob", string(runes)); sent.Text != string(runes) {
				t.Errorf("sent %q, answered %q", string(runes), sent.Text)
			}
		}
	})
}

// TestBlankText sends texts, and edits to texts, without a visible character, and with one.
func TestBlankText(t *testing.T) {
	blanks := []string{
		" \t\n\u000b\u0085\u00a0\u2003\u3000", "\u200b", "\u2800", "\u3164", "\u00ad", "\u200d", "\ufeff", "\u180e", "\u115f\u1160", "\uffa0",
		"\u2060\u2064\u206f", "\ufe0f", "\U000e0100", "\U000e0001\U000e0041\U000e007f", "\U0001d173", " \u200b\u2800\n\u3164\U000e0041\u200d ",
		strings.Repeat("\u200b", 4096),
	}
	seen := []string{
		"\u200bx", "❤\ufe0f", "👨\u200d👩\u200d👧", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "⠁", "ㅤㄱ", "\u0600", "\u0301", "\u0001",
	}
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		kept := s.Send(t, "alice", "bob", "as it was")
		for _, text := range blanks {
			sent, err := s.SendMessageWithResponse(t.Context(), nil, client.SendMessageRequest{Sender: "alice", Recipient: "bob", Text: text})
			if err != nil || sent.StatusCode() != http.StatusUnprocessableEntity || !strings.Contains(string(sent.Body), `"pointer":"/text","detail":"must not be blank`) {
				t.Errorf("%+q: %v, answered %s", text, err, sent.Body)
			}
			edited, err := s.EditMessageWithResponse(t.Context(), kept.ID, client.EditMessageRequest{Text: &text})
			if err != nil || edited.StatusCode() != http.StatusUnprocessableEntity || !strings.Contains(string(edited.Body), `"pointer":"/text","detail":"must not be blank`) {
				t.Errorf("edited to %+q: %v, answered %s", text, err, edited.Body)
			}
		}
		for _, text := range seen {
			if sent := s.Send(t, "alice", "bob", text); sent.Text != text {
				t.Errorf("sent %+q, answered %+q", text, sent.Text)
			}
		}
		if page := s.List(t, client.ListMessagesParams{}); len(page.Messages) != len(seen)+1 || page.Messages[len(seen)].Text != kept.Text {
			t.Errorf("stored %+v", page.Messages)
		}
	})
}

// TestTextRefused sends JSON strings that are not valid Unicode text.
func TestTextRefused(t *testing.T) {
	for name, test := range map[string]struct {
		text   string
		status int
	}{
		"U+0000":                   {`a\u0000b`, http.StatusUnprocessableEntity},
		"lone high surrogate":      {`a\ud800b`, http.StatusBadRequest},
		"lone low surrogate":       {`a\udc00`, http.StatusBadRequest},
		"surrogates the wrong way": {`\udc00\ud800`, http.StatusBadRequest},
		"invalid UTF-8":            {"a\xffb", http.StatusBadRequest},
		"overlong UTF-8":           {"a\xc0\x80b", http.StatusBadRequest},
		"encoded surrogate":        {"a\xed\xa0\x80b", http.StatusBadRequest},
		"cut off UTF-8":            {"a\xf0\x9f", http.StatusBadRequest},
		"raw control character":    {"a\x01b", http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
				s := apitest.Start(t, engine, messaging.Options{})
				body := `{"sender": "alice", "recipient": "bob", "text": "` + test.text + `"}`
				answer := s.Do(t, http.MethodPost, "/v1/messages", strings.NewReader(body), "Content-Type: application/json")
				if answer.Status != test.status || !strings.Contains(answer.Body, `"pointer":"/text"`) {
					t.Errorf("answered %d %s", answer.Status, answer.Body)
				}
				if page := s.List(t, client.ListMessagesParams{}); len(page.Messages) != 0 {
					t.Errorf("stored %+v", page.Messages)
				}
			})
		})
	}
}

// TestMetadataSurvives checks that metadata is returned with every digit, and that its size
// limit does not count the escapes and white space of the request.
func TestMetadataSurvives(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		send := func(metadata string) (int, string) {
			body := `{"sender": "alice", "recipient": "bob", "text": "x", "metadata": ` + metadata + `}`
			answer := s.Do(t, http.MethodPost, "/v1/messages", strings.NewReader(body), "Content-Type: application/json")
			return answer.Status, answer.Body
		}
		const digits = `{"big":123456789012345678901234567890,"exact":1.10,"huge":1e400,"text":"\u0000é"}`
		if status, answer := send(digits); status != http.StatusCreated || !strings.Contains(answer, `"metadata":`+digits) {
			t.Errorf("answered %d %s", status, answer)
		}
		longest := strings.Repeat("<", 4096-len(`{"a":""}`))
		if status, answer := send(`{ "a" : "` + strings.ReplaceAll(longest, "<", `\u003c`) + `" }`); status != http.StatusCreated {
			t.Errorf("4096 bytes: answered %d %s", status, answer)
		}
		if status, answer := send(`{"a":"` + longest + `x"}`); status != http.StatusUnprocessableEntity || !strings.Contains(answer, `"/metadata"`) {
			t.Errorf("4097 bytes: answered %d %s", status, answer)
		}
		nested := func(levels int) string {
			return `{"a":` + strings.Repeat("[", levels-1) + strings.Repeat("]", levels-1) + `}`
		}
		if status, answer := send(nested(30)); status != http.StatusCreated {
			t.Errorf("30 levels: answered %d %s", status, answer)
		}
		if status, answer := send(nested(31)); status != http.StatusBadRequest || !strings.Contains(answer, `"/metadata/a/0`) {
			t.Errorf("31 levels: answered %d %s", status, answer)
		}
		for _, empty := range []string{`{}`, `{"a":null}`} {
			if status, answer := send(empty); status != http.StatusCreated || !strings.Contains(answer, `"metadata":`+empty) {
				t.Errorf("%s: answered %d %s", empty, status, answer)
			}
		}
	})
}
