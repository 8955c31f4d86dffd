package apitest_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"slices"
	"strings"
	"testing"

	"encoding/json"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// badRequest is a request that must be refused, and what the problem must contain.
type badRequest struct {
	method, path, body string
	header             []string
	status             int
	at                 []string // pointers and parameters
}

func post(body string, status int, at ...string) badRequest {
	return badRequest{http.MethodPost, "/v1/messages", body, []string{"Content-Type: application/json"}, status, at}
}

func get(path string, status int, at ...string) badRequest {
	return badRequest{method: http.MethodGet, path: path, status: status, at: at}
}

const someMessage = "/v1/messages/01a20846-ff6e-7a53-9c1e-3c8a1e7d9b42"

func patch(body string, status int, at ...string) badRequest {
	return badRequest{http.MethodPatch, someMessage, body, []string{"Content-Type: application/json"}, status, at}
}

func put(path, body string, status int, at ...string) badRequest {
	return badRequest{http.MethodPut, path, body, []string{"Content-Type: application/json"}, status, at}
}

func quoted(s string, n int) string { return `"` + strings.Repeat(s, n) + `"` }

var badRequests = map[string]badRequest{
	// The body as such.
	"empty body":             post(``, 400, ""),
	"broken JSON":            post(`{"sender":"alice",`, 400, ""),
	"single quotes":          post(`{'sender':'alice'}`, 400, ""),
	"comment":                post(`{/* */}`, 400, ""),
	"duplicate member":       post(`{"sender":"a","recipient":"b","text":"x","text":"y"}`, 400, "/text"),
	"duplicate by escape":    post(`{"sender":"a","recipient":"b","text":"x","t\u0065xt":"y"}`, 400, "/text"),
	"duplicate in metadata":  post(`{"sender":"a","recipient":"b","text":"x","metadata":{"k":1,"k":2}}`, 400, "/metadata/k"),
	"trailing data":          post(draft()+`{}`, 400, ""),
	"trailing garbage":       post(draft()+`x`, 400, ""),
	"deep arrays":            post(strings.Repeat(`[`, 30000), 400, strings.Repeat("/0", 31)),
	"deep metadata":          post(`{"metadata":`+strings.Repeat(`{"a":`, 10000), 400, "/metadata"+strings.Repeat("/a", 30)),
	"array":                  post(`[]`, 422, ""),
	"string":                 post(`"hello"`, 422, ""),
	"null":                   post(`null`, 422, ""),
	"NaN":                    post(`{"sender":NaN}`, 400, "/sender"),
	"1 MB":                   post(draft("text="+quoted("x", 1<<20)), 413),
	"1 MB of blanks":         post(strings.Repeat(" ", 1<<20), 413),
	"no content type":        {http.MethodPost, "/v1/messages", draft(), nil, 415, []string{"Content-Type"}},
	"form":                   {http.MethodPost, "/v1/messages", "a=b", []string{"Content-Type: application/x-www-form-urlencoded"}, 415, []string{"Content-Type"}},
	"text/plain":             {http.MethodPost, "/v1/messages", draft(), []string{"Content-Type: text/plain"}, 415, []string{"Content-Type"}},
	"broken content type":    {http.MethodPost, "/v1/messages", draft(), []string{"Content-Type: application/json; charset"}, 415, []string{"Content-Type"}},
	"UTF-16":                 {http.MethodPost, "/v1/messages", draft(), []string{"Content-Type: application/json; charset=utf-16"}, 415, []string{"Content-Type"}},
	"gzip":                   {http.MethodPost, "/v1/messages", gzipped(draft()), []string{"Content-Type: application/json", "Content-Encoding: gzip"}, 415, []string{"Content-Encoding"}},
	"two encodings":          {http.MethodPost, "/v1/messages", draft(), []string{"Content-Type: application/json", "Content-Encoding: identity", "Content-Encoding: gzip"}, 415, []string{"Content-Encoding"}},
	"two content types":      {http.MethodPost, "/v1/messages", draft(), []string{"Content-Type: application/json", "Content-Type: text/plain"}, 415, []string{"Content-Type"}},
	"gzip, undeclared":       post(gzipped(draft()), 400, ""),
	"accepts HTML only":      {http.MethodPost, "/v1/messages", draft(), []string{"Content-Type: application/json", "Accept: text/html"}, 406, []string{"Accept"}},
	"accepts all but JSON":   {http.MethodGet, "/v1/messages", "", []string{"Accept: application/json;q=0, text/html"}, 406, []string{"Accept"}},
	"HTML of a JSON problem": {http.MethodGet, "/v1/messages/junk", "", []string{"Accept: application/*"}, 400, []string{"messageId"}},

	// The members of the body.
	"no members":            post(`{}`, 422, "/recipient", "/sender", "/text"),
	"unknown member":        post(draft(`txt="x"`), 422, "/txt"),
	"member in other case":  post(`{"Sender":"a","recipient":"b","text":"x"}`, 422, "/Sender", "/sender"),
	"odd member name":       post(draft(`a~/b=1`), 422, "/a~0~1b"),
	"reserved member":       post(draft(`id="01a20846-ff6e-7a53-9c1e-3c8a1e7d9b42"`), 422, "/id"),
	"null members":          post(draft(`sender=null`, `text=null`, `metadata=null`), 422, "/metadata", "/sender", "/text"),
	"wrong types":           post(draft(`sender=1`, `text=["x"]`, `metadata="x"`), 422, "/metadata", "/sender", "/text"),
	"empty text":            post(draft(`text=""`), 422, "/text"),
	"blank text":            post(draft(`text=" \t\n\u000b\u0085\u00a0\u2003\u3000\ufeff"`), 422, "/text"),
	"U+0000":                post(draft(`text="a\u0000"`), 422, "/text"),
	"4097 code points":      post(draft("text="+quoted("x", 4097)), 422, "/text"),
	"4097 wide code points": post(draft("text="+quoted("😀", 4097)), 422, "/text"),
	"empty user id":         post(draft(`sender=""`), 422, "/sender"),
	"user id of 129":        post(draft("recipient="+quoted("x", 129)), 422, "/recipient"),
	"user id with /":        post(draft(`sender="a/b"`), 422, "/sender"),
	"user id with space":    post(draft(`sender=" a"`), 422, "/sender"),
	"user id with newline":  post(draft(`sender="a\n"`), 422, "/sender"),
	"user id with é":        post(draft(`sender="é"`), 422, "/sender"),
	"user id with . first":  post(draft(`sender=".a"`), 422, "/sender"),
	"user id with ~ first":  post(draft(`sender="~a"`), 422, "/sender"),
	"group without a name":  post(draft(`recipient="~"`), 422, "/recipient"),
	"group with two ~":      post(draft(`recipient="~~a"`), 422, "/recipient"),
	"group with . first":    post(draft(`recipient="~.a"`), 422, "/recipient"),
	"group of 130":          post(draft("recipient="+strings.Replace(quoted("x", 130), "x", "~", 1)), 422, "/recipient"),
	"metadata of 5 KB":      post(draft(`metadata={"a":`+quoted("x", 5000)+`}`), 422, "/metadata"),

	"replyTo is junk":    post(draft(`replyTo="junk"`), 422, "/replyTo"),
	"replyTo is null":    post(draft(`replyTo=null`), 422, "/replyTo"),
	"replyTo is unknown": post(draft(`replyTo="01a20846-ff6e-7a53-9c1e-3c8a1e7d9b42"`), 422, "/replyTo"),

	// Edits.
	"edit of nothing":        patch(`{}`, 422, ""),
	"edit without a body":    patch(``, 400, ""),
	"edit as a form":         {http.MethodPatch, someMessage, "text=x", []string{"Content-Type: application/x-www-form-urlencoded"}, 415, []string{"Content-Type"}},
	"edit by merge patch":    {http.MethodPatch, someMessage, `{"text":"x"}`, []string{"Content-Type: application/merge-patch+json"}, 415, []string{"Content-Type"}},
	"edit of 1 MB":           patch(`{"text":`+quoted("x", 1<<20)+`}`, 413),
	"edit of the sender":     patch(`{"sender":"eve","text":"x"}`, 422, "/sender"),
	"edit to no text":        patch(`{"text":null}`, 422, "/text"),
	"edit to a blank text":   patch(`{"text":" "}`, 422, "/text"),
	"edit to 4097":           patch(`{"text":`+quoted("x", 4097)+`}`, 422, "/text"),
	"edit to metadata of 5K": patch(`{"metadata":{"a":`+quoted("x", 5000)+`}}`, 422, "/metadata"),
	"edit to a list":         patch(`{"metadata":[]}`, 422, "/metadata"),
	"edit of what never was": patch(`{"text":"x"}`, 404),
	"edit of junk":           {http.MethodPatch, "/v1/messages/junk", `{"text":"x"}`, []string{"Content-Type: application/json"}, 400, []string{"messageId"}},

	// Conversations and read markers.
	"conversations of a blank":    get("/v1/users/%20/conversations", 422, "userId"),
	"conversations of 129":        get("/v1/users/"+strings.Repeat("x", 129)+"/conversations", 422, "userId"),
	"conversations of é":          get("/v1/users/%C3%A9/conversations", 422, "userId"),
	"conversations, not UTF-8":    get("/v1/users/%ff/conversations", 422, "userId"),
	"conversations before junk":   get("/v1/users/bob/conversations?before=junk", 400, "before"),
	"conversations by 101":        get("/v1/users/bob/conversations?limit=101", 422, "limit"),
	"conversations after":         get("/v1/users/bob/conversations?after=01a20846-ff6e-7a53-9c1e-3c8a1e7d9b42", 400, "after"),
	"conversation with a blank":   get("/v1/users/bob/conversations/%20", 422, "peerId"),
	"conversation with nobody":    get("/v1/users/bob/conversations/nobody", 404),
	"conversation of two blanks":  get("/v1/users/%20/conversations/%20", 422, "peerId", "userId"),
	"thread of a blank":           get("/v1/users/%20/conversations/alice/messages", 422, "userId"),
	"thread by recipient":         get("/v1/users/bob/conversations/alice/messages?recipient=bob", 400, "recipient"),
	"thread until before since":   get("/v1/users/bob/conversations/alice/messages?since=2026-02-02T00:00:00Z&until=2026-02-01T00:00:00Z", 422, "until"),
	"thread since yesterday":      get("/v1/users/bob/conversations/alice/messages?since=yesterday", 400, "since"),
	"thread after junk":           get("/v1/users/bob/conversations/alice/messages?after=junk", 400, "after"),
	"thread by 0":                 get("/v1/users/bob/conversations/alice/messages?limit=0", 422, "limit"),
	"marker without a message":    put("/v1/users/bob/conversations/alice/read-marker", `{}`, 422, "/messageId"),
	"marker at junk":              put("/v1/users/bob/conversations/alice/read-marker", `{"messageId":"junk"}`, 422, "/messageId"),
	"marker at null":              put("/v1/users/bob/conversations/alice/read-marker", `{"messageId":null}`, 422, "/messageId"),
	"marker at a number":          put("/v1/users/bob/conversations/alice/read-marker", `{"messageId":7}`, 422, "/messageId"),
	"marker at an unknown":        put("/v1/users/bob/conversations/alice/read-marker", `{"messageId":"01a20846-ff6e-7a53-9c1e-3c8a1e7d9b42"}`, 422, "/messageId"),
	"marker at a time":            put("/v1/users/bob/conversations/alice/read-marker", `{"messageId":"01a20846-ff6e-7a53-9c1e-3c8a1e7d9b42","readAt":"now"}`, 422, "/readAt"),
	"marker of a blank":           put("/v1/users/%20/conversations/alice/read-marker", `{"messageId":"01a20846-ff6e-7a53-9c1e-3c8a1e7d9b42"}`, 422, "userId"),
	"marker as text":              {http.MethodPut, "/v1/users/bob/conversations/alice/read-marker", "x", []string{"Content-Type: text/plain"}, 415, []string{"Content-Type"}},
	"marker by POST":              {method: http.MethodPost, path: "/v1/users/bob/conversations/alice/read-marker", status: 405},
	"method of the conversations": {method: http.MethodDelete, path: "/v1/users/bob/conversations", status: 405},

	// Blocks.
	"blocks of a blank":    get("/v1/users/%20/blocks", 422, "userId"),
	"blocks after a blank": get("/v1/users/bob/blocks?after=%20", 422, "after"),
	"blocks after nothing": get("/v1/users/bob/blocks?after=", 422, "after"),
	"blocks by x":          get("/v1/users/bob/blocks?limit=x", 400, "limit"),
	"block of oneself":     put("/v1/users/bob/blocks/bob", ``, 422, "peerId"),
	"block of a blank":     put("/v1/users/bob/blocks/%20", ``, 422, "peerId"),
	"block with a reason":  put("/v1/users/bob/blocks/eve?reason=spam", ``, 400, "reason"),
	"unblock of a blank":   {method: http.MethodDelete, path: "/v1/users/bob/blocks/%20", status: 422, at: []string{"peerId"}},
	"a block by POST":      {method: http.MethodPost, path: "/v1/users/bob/blocks/eve", status: 405},

	// Headers.
	"key too long":       {http.MethodPost, "/v1/messages", draft(), []string{"Content-Type: application/json", "Idempotency-Key: " + strings.Repeat("x", 256)}, 422, []string{"Idempotency-Key"}},
	"key not printable":  {http.MethodPost, "/v1/messages", draft(), []string{"Content-Type: application/json", "Idempotency-Key: caf\u00e9"}, 422, []string{"Idempotency-Key"}},
	"key empty":          {http.MethodPost, "/v1/messages", draft(), []string{"Content-Type: application/json", "Idempotency-Key: "}, 422, []string{"Idempotency-Key"}},
	"key given twice":    {http.MethodPost, "/v1/messages", draft(), []string{"Content-Type: application/json", "Idempotency-Key: a", "Idempotency-Key: b"}, 400, []string{"Idempotency-Key"}},
	"unknown on a send":  {http.MethodPost, "/v1/messages?dry-run=1", draft(), []string{"Content-Type: application/json"}, 400, []string{"dry-run"}},
	"unknown on health":  get("/health?x=1", 400, "x"),
	"unknown on a read":  get("/v1/messages/01a20846-ff6e-7a53-9c1e-3c8a1e7d9b42?x", 400, "x"),
	"unknown on a limit": get("/v1/limits?x", 400, "x"),

	// Query parameters.
	"limit=0":              get("/v1/messages?limit=0", 422, "limit"),
	"limit=101":            get("/v1/messages?limit=101", 422, "limit"),
	"limit=-1":             get("/v1/messages?limit=-1", 422, "limit"),
	"limit=x":              get("/v1/messages?limit=x", 400, "limit"),
	"limit=1.5":            get("/v1/messages?limit=1.5", 400, "limit"),
	"limit=1e1":            get("/v1/messages?limit=1e1", 400, "limit"),
	"limit of 30 digits":   get("/v1/messages?limit="+strings.Repeat("9", 30), 400, "limit"),
	"limit empty":          get("/v1/messages?limit=", 400, "limit"),
	"limit given twice":    get("/v1/messages?limit=1&limit=1", 400, "limit"),
	"unknown parameter":    get("/v1/messages?recipent=bob", 400, "recipent"),
	"odd unknown names":    get("/v1/messages?%00=1&a[b]=1", 400, "\x00", "a[b]"),
	"bad escape":           get("/v1/messages?recipient=%zz", 400),
	"semicolon":            get("/v1/messages?recipient=a;sender=b", 400),
	"recipient empty":      get("/v1/messages?recipient=", 422, "recipient"),
	"recipient with /":     get("/v1/messages?recipient=a/b", 422, "recipient"),
	"recipient of 129":     get("/v1/messages?recipient="+strings.Repeat("x", 129), 422, "recipient"),
	"recipient not UTF-8":  get("/v1/messages?recipient=%ff", 400, "recipient"),
	"q alone":              get("/v1/messages?q=lunch", 422, "q"),
	"q empty":              get("/v1/messages?recipient=bob&q=", 400, "q"),
	"q of 129":             get("/v1/messages?recipient=bob&q="+strings.Repeat("x", 129), 400, "q"),
	"q with U+0000":        get("/v1/messages?recipient=bob&q=%00", 400, "q"),
	"q not UTF-8":          get("/v1/messages?recipient=bob&q=%ff", 400, "q"),
	"q given twice":        get("/v1/messages?recipient=bob&q=a&q=b", 400, "q"),
	"sender given twice":   get("/v1/messages?sender=a&sender=b", 400, "sender"),
	"since in words":       get("/v1/messages?since=yesterday", 400, "since"),
	"since on 31 February": get("/v1/messages?since=2026-02-31T00:00:00Z", 400, "since"),
	"since with a comma":   get("/v1/messages?since=2026-02-01T00:00:00,5Z", 400, "since"),
	"since in zone +24":    get("/v1/messages?since=2026-02-01T00:00:00%2B24:00", 400, "since"),
	"since without zone":   get("/v1/messages?since=2026-02-01T00:00:00", 400, "since"),
	"since a bare number":  get("/v1/messages?since=1700000000", 400, "since"),
	"since with bare plus": get("/v1/messages?since=2026-02-01T00:00:00+01:00", 400, "since"),
	"since after until":    get("/v1/messages?since=2026-02-02T00:00:00Z&until=2026-02-01T00:00:00Z", 422, "until"),
	"until before window":  get("/v1/messages?until=2020-02-01T00:00:00Z", 422, "until"),
	"before is junk":       get("/v1/messages?before=junk", 400, "before"),
	"after is junk":        get("/v1/messages?after=01a20846-ff6e-7a53-9c1e-3c8a1e7d9b4g", 400, "after"),
	"several at once":      get("/v1/messages?limit=0&foo=1&sender=", 400, "foo", "limit", "sender"),

	// Paths and methods.
	"id is junk":          get("/v1/messages/junk", 400, "messageId"),
	"id in braces":        get("/v1/messages/%7B01a20846-ff6e-7a53-9c1e-3c8a1e7d9b42%7D", 400, "messageId"),
	"id with a slash":     get("/v1/messages/a%2Fb", 400, "messageId"),
	"id encoded twice":    get("/v1/messages/01a20846%252Dff6e-7a53-9c1e-3c8a1e7d9b42", 400, "messageId"),
	"id with a bad %":     get("/v1/messages/%25zz", 400, "messageId"),
	"id with U+0000":      get("/v1/messages/%00", 400, "messageId"),
	"id unknown":          get("/v1/messages/01a20846-ff6e-7a53-9c1e-3c8a1e7d9b42", 404),
	"id is zero":          get("/v1/messages/00000000-0000-0000-0000-000000000000", 404),
	"delete junk":         {method: http.MethodDelete, path: "/v1/messages/junk", status: 400, at: []string{"messageId"}},
	"unknown path":        get("/v1/nothing", 404),
	"path below":          get("/v1/messages/x/y", 404),
	"path with a slash":   get("/v1/messages/", 404),
	"method of a path":    {method: http.MethodPut, path: "/v1/messages", status: 405},
	"method of a message": {method: http.MethodPost, path: "/v1/messages/01a20846-ff6e-7a53-9c1e-3c8a1e7d9b42", status: 405},
	"method unheard of":   {method: "BREW", path: "/v1/messages", status: 405},
	"method of the docs":  {method: http.MethodPost, path: "/docs/", status: 405},
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	if err != nil || w.Close() != nil {
		panic("gzip")
	}
	return b.String()
}

// TestBadInput sends invalid requests to one server per engine, which must refuse them,
// store nothing and still work afterwards.
func TestBadInput(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		t.Run("refused", func(t *testing.T) {
			for name, bad := range badRequests {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					answer := s.Do(t, bad.method, bad.path, strings.NewReader(bad.body), bad.header...)
					bad.check(t, answer)
				})
			}
		})
		s.Send(t, "alice", "bob", "still here")
		if page := s.List(t, client.ListMessagesParams{}); len(page.Messages) != 1 {
			t.Errorf("listed %d messages, want the last one only", len(page.Messages))
		}
	})
}

func (bad badRequest) check(t *testing.T, answer apitest.Answer) {
	t.Helper()
	var problem client.Problem
	if err := json.Unmarshal([]byte(answer.Body), &problem); err != nil {
		t.Fatalf("%d without a problem document: %v\n%s", answer.Status, err, answer.Body)
	}
	if answer.Status != bad.status || problem.Status != int32(bad.status) {
		t.Errorf("answered %d, want %d\n%s", answer.Status, bad.status, answer.Body)
	}
	if mediaType := answer.Header.Get("Content-Type"); mediaType != "application/problem+json" {
		t.Errorf("answered with %s", mediaType)
	}
	if id := answer.Header.Get("X-Request-Id"); problem.Instance != "urn:request:"+id {
		t.Errorf("instance %q of request %q", problem.Instance, id)
	}
	var at []string
	for _, e := range problem.Errors {
		switch {
		case e.Pointer != nil && e.Parameter == nil:
			at = append(at, *e.Pointer)
		case e.Parameter != nil && e.Pointer == nil:
			at = append(at, *e.Parameter)
		default:
			t.Errorf("an error does not name exactly one place: %+v", e)
		}
	}
	slices.Sort(at)
	if at = slices.Compact(at); !slices.Equal(at, bad.at) {
		t.Errorf("names %q, want %q\n%s", at, bad.at, answer.Body)
	}
	if bad.status == http.StatusMethodNotAllowed && answer.Header.Get("Allow") == "" {
		t.Error("405 without Allow")
	}
}
