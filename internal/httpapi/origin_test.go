package httpapi

import (
	"strings"
	"testing"
)

// TestCheckOrigin checks origins as browsers write them, and others.
func TestCheckOrigin(t *testing.T) {
	t.Parallel()
	for origin, says := range map[string]string{
		"https://example.org":           "",
		"http://localhost:8080":         "",
		"http://a_b":                    "",
		"https://xn--bcher-kva.example": "",
		"https://192.0.2.1":             "",
		"http://[2001:db8::1]:8080":     "",
		"http://example.org:443":        "",

		"":                             "must be http:// or https://",
		"*":                            "must be http:// or https://",
		"null":                         "must be http:// or https://",
		"example.org":                  "must be http:// or https://",
		"//example.org":                "must be http:// or https://",
		"ftp://example.org":            "must be http:// or https://",
		"https://":                     "must be http:// or https://",
		"https://exa mple.org":         "must be http:// or https://",
		"https://Example.org":          "lower case",
		"HTTPS://example.org":          "lower case",
		"https://example.org/":         "no path",
		"https://example.org/chat":     "no path",
		"https://example.org?":         "no path",
		"https://example.org#":         "no path",
		"https://u:p@example.org":      "no user",
		"https://example.org:443":      "leave out :443",
		"http://example.org:80":        "leave out :80",
		"https://*.example.org":        "no *",
		"https://bücher.example":       "the name of one host",
		"https://example.org.":         "the name of one host",
		"https://example.org,https://": "no path",
		"https://example.org:0":        "the name of one host",
		"https://example.org:08443":    "the name of one host",
		"https://example.org:":         "the name of one host",
		"https://127.1":                "the name of one host",
		"https://0x7f000001":           "the name of one host",
		"https://[2001:DB8::1]":        "lower case",
		"https://[2001:db8:0::1]":      "the name of one host",
		"https://[127.0.0.1]":          "must be http:// or https://",
	} {
		err := CheckOrigin(origin)
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", origin, err, says)
		}
	}
}
