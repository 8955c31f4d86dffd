package apitest_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/messaging"
)

// fetch returns the body of a response as it was sent, and decompressed.
func fetch(t *testing.T, s *apitest.Server, path, encoding string) (header http.Header, sent, text []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", encoding)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	sent, err = io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		t.Fatal(err)
	}
	if text = sent; response.Header.Get("Content-Encoding") == "gzip" {
		reader, err := gzip.NewReader(bytes.NewReader(sent))
		if err != nil {
			t.Fatal(err)
		}
		if text, err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
	}
	return response.Header, sent, text
}

// TestCompress requests large and small responses with and without compression: the content must be the
// same.
func TestCompress(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.StartWith(t, dbtest.NewURL(t, engine), app.Options{API: httpapi.Options{Compress: true}})
		for i := range 101 {
			s.Send(t, "alice", "bob", fmt.Sprintf("message %d: shall we have lunch at noon?", i))
			s.Block(t, "carol", fmt.Sprint("somebody-with-a-long-name-", i))
		}
		s.Send(t, "alice", "dave", "a short list")
		for path, compresses := range map[string]bool{
			"/v1/messages?recipient=bob":                                       true,
			"/v1/users/bob/changes?after=00000000-0000-0000-0000-000000000000": true,
			"/v1/users/bob/conversations/alice/messages":                       true,
			"/v1/users/carol/blocks":                                           true,
			"/v1/users/bob/export":                                             true,
			"/openapi.json":                                                    true,
			"/openapi.yaml":                                                    true,
			"/v1/messages?recipient=dave":                                      false,
			"/v1/limits":                                                       false,
			"/nowhere":                                                         false,
		} {
			plain, want, _ := fetch(t, s, path, "identity")
			header, sent, text := fetch(t, s, path, "br, gzip;q=0.8")
			if path != "/nowhere" && !bytes.Equal(text, want) { // the problem document has the request's id
				t.Errorf("%s: the compressed response differs", path)
			}
			if got := header.Get("Content-Encoding") == "gzip"; got != compresses || got && len(sent) > len(want)/2 {
				t.Errorf("%s: %d of %d bytes, with %v", path, len(sent), len(want), header)
			}
			if plain.Get("Content-Encoding") != "" || plain.Get("Vary") != "Accept-Encoding" || header.Get("Vary") != "Accept-Encoding" {
				t.Errorf("%s: %v and %v", path, plain, header)
			}
			if length := header.Get("Content-Length"); length != "" && length != fmt.Sprint(len(sent)) {
				t.Errorf("%s: %d bytes, with a Content-Length of %s", path, len(sent), length)
			}
			if link := header.Get("Link"); link != plain.Get("Link") {
				t.Errorf("%s: Link is %q", path, link)
			}
		}
		stream := s.Do(t, http.MethodHead, "/v1/users/bob/changes", nil, "Accept: text/event-stream", "Accept-Encoding: gzip")
		if stream.Header.Get("Content-Encoding") != "" {
			t.Errorf("a stream is compressed: %v", stream.Header)
		}
		// An export that fails before it begins is a problem document, which is not compressed.
		if err := s.DB.Close(); err != nil {
			t.Fatal(err)
		}
		header, _, text := fetch(t, s, "/v1/users/bob/export", "gzip")
		if header.Get("Content-Encoding") != "" || !strings.Contains(string(text), `"type":"urn:problem-type:`) {
			t.Errorf("%v %s", header, text)
		}
	})
}

// TestCompressOff sends Accept-Encoding to a server on which compression is off.
func TestCompressOff(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, db.SQLite, messaging.Options{})
	if header, _, _ := fetch(t, s, "/openapi.json", "gzip"); header.Get("Content-Encoding") != "" || header.Get("Vary") != "" {
		t.Errorf("answered with %v", header)
	}
}
