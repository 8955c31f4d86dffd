package app

import "testing"

// TestNextPort suggests addresses in place of ones that are taken.
func TestNextPort(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{"127.0.0.1:8080": "127.0.0.1:8081", ":80": ":81", "[::1]:65535": "[::1]:0", "localhost:http": "localhost:0"} {
		if got := nextPort(given); got != want {
			t.Errorf("after %s comes %s, want %s", given, got, want)
		}
	}
}
