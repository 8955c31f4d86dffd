package httpapi

import (
	"testing"

	"github.com/message-service/message-service/internal/identity"
	"github.com/message-service/message-service/internal/messaging"
)

// TestCaller checks on whose behalf requests are served: with authentication, one that nobody has authenticated may do
// nothing, even if the middleware that refuses it were missing.
func TestCaller(t *testing.T) {
	t.Parallel()
	user, key := &identity.Principal{User: "alice"}, &identity.Principal{Key: "a"}
	for _, test := range []struct {
		authenticates bool
		principal     *identity.Principal
		want          messaging.Caller
	}{
		{false, nil, messaging.AsService},
		{true, nil, messaging.Caller{}},
		{true, key, messaging.AsService},
		{true, user, messaging.AsUser("alice")},
	} {
		if got := (&Server{authenticates: test.authenticates}).caller(test.principal); got != test.want {
			t.Errorf("authentication %t, %+v: %+v, want %+v", test.authenticates, test.principal, got, test.want)
		}
	}
}
