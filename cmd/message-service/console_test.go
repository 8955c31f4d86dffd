package main

import "testing"

// TestHasConsole checks that the console is served to other machines only if it is requested.
func TestHasConsole(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		address string
		proxied bool
		console *bool
		want    bool
	}{
		{"127.0.0.1:8080", false, nil, true},
		{"localhost:0", false, nil, true},
		{"[::1]:8080", false, nil, true},
		{"0.0.0.0:8080", false, nil, false},
		{":8080", false, nil, false},
		{"192.0.2.1:8080", false, nil, false},
		{"127.0.0.1:8080", false, new(false), false},
		{"0.0.0.0:8080", false, new(true), true},
		{"127.0.0.1:8080", true, nil, false},
		{"127.0.0.1:8080", true, new(true), true},
	} {
		if got := (serveCommand{ListenAddress: test.address, AllowUnauthenticated: test.proxied, Console: test.console}).hasConsole(); got != test.want {
			t.Errorf("%s with %v: %t", test.address, test.console, got)
		}
	}
}
