package apitest_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/httpapi"
)

// TestConsole checks the path of the console, its Content-Security-Policy, and who may open it.
func TestConsole(t *testing.T) {
	t.Parallel()
	s := apitest.StartWith(t, dbtest.NewURL(t, db.SQLite), app.Options{API: httpapi.Options{Console: true}})
	for _, path := range []string{"/", "/console"} {
		if answer := s.Do(t, http.MethodGet, path, nil); answer.Status != http.StatusFound || answer.Header.Get("Location") != "/console/" {
			t.Errorf("%s: %d to %q", path, answer.Status, answer.Header.Get("Location"))
		}
	}
	page := s.Do(t, http.MethodGet, "/console/", nil)
	if page.Status != http.StatusOK || page.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("the page: %d %s", page.Status, page.Header.Get("Content-Type"))
	}
	policy := page.Header.Get("Content-Security-Policy")
	for _, directive := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"} {
		if !strings.Contains(policy+";", directive+";") {
			t.Errorf("the policy lacks %s: %s", directive, policy)
		}
	}
	if regexp.MustCompile(`<script>|<style|\son\w+=|\sstyle=`).MatchString(page.Body) {
		t.Error("the page has something inline, which its policy forbids")
	}
	references := regexp.MustCompile(`(?:src|href)="([^"/][^"]*)"`).FindAllStringSubmatch(page.Body, -1)
	if len(references) < 3 {
		t.Errorf("the page refers to %v", references)
	}
	for _, reference := range references {
		if answer := s.Do(t, http.MethodGet, "/console/"+reference[1], nil); answer.Status != http.StatusOK || answer.Body == "" {
			t.Errorf("%s: %d, %d bytes", reference[1], answer.Status, len(answer.Body))
		}
	}
	if answer := s.Do(t, http.MethodGet, "/console/nothing.js", nil); answer.Status != http.StatusNotFound || answer.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("a file that is not there: %d %s", answer.Status, answer.Body)
	}
	if docs := s.Do(t, http.MethodGet, "/docs/", nil); !strings.Contains(docs.Body, `data-console="/console/"`) {
		t.Error("the documentation has no link to the console")
	}
	for name, test := range map[string]struct {
		header []string
		status int
	}{
		"followed link":   {[]string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}, http.StatusOK},
		"frame":           {[]string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"}, http.StatusForbidden},
		"script of other": {[]string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: script"}, http.StatusForbidden},
		"other host":      {[]string{"Host: example.org"}, http.StatusMisdirectedRequest},
		"proxy":           {[]string{"X-Forwarded-For: 203.0.113.7"}, http.StatusForbidden},
	} {
		if answer := s.Do(t, http.MethodGet, "/console/", nil, test.header...); answer.Status != test.status {
			t.Errorf("%s: %d, want %d", name, answer.Status, test.status)
		}
	}
}

// TestConsoleOff checks that a server without the console has none.
func TestConsoleOff(t *testing.T) {
	t.Parallel()
	s := apitest.StartWith(t, dbtest.NewURL(t, db.SQLite), app.Options{})
	for _, path := range []string{"/console", "/console/", "/console/console.js"} {
		if answer := s.Do(t, http.MethodGet, path, nil); answer.Status != http.StatusNotFound {
			t.Errorf("%s: %d", path, answer.Status)
		}
	}
	if docs := s.Do(t, http.MethodGet, "/docs/", nil); docs.Status != http.StatusOK || strings.Contains(docs.Body, "data-console=") {
		t.Errorf("the documentation leads to a console: %d", docs.Status)
	}
}
