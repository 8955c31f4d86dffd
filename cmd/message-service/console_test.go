package main

import "testing"

// TestHasConsole checks that without authentication the console is served to other machines only if it is
// requested.
func TestHasConsole(t *testing.T) {
	t.Parallel()
	open := identityFlags{AllowUnauthenticated: true}
	for _, test := range []struct {
		address  string
		identity identityFlags
		console  *bool
		want     bool
	}{
		{"127.0.0.1:8080", identityFlags{}, nil, true},
		{"localhost:0", identityFlags{}, nil, true},
		{"[::1]:8080", identityFlags{}, nil, true},
		{"0.0.0.0:8080", identityFlags{}, nil, true},
		{"0.0.0.0:8080", open, nil, false},
		{"192.0.2.1:8080", open, nil, false},
		{"0.0.0.0:8080", identityFlags{}, new(false), false},
		{"127.0.0.1:8080", identityFlags{}, new(false), false},
		{"0.0.0.0:8080", open, new(true), true},
		{"127.0.0.1:8080", open, nil, false},
		{"127.0.0.1:8080", open, new(true), true},
	} {
		if got := (serveCommand{ListenAddress: test.address, identityFlags: test.identity, Console: test.console}).hasConsole(); got != test.want {
			t.Errorf("%s with %v and %+v: %t", test.address, test.console, test.identity, got)
		}
	}
}
