package httpapi

import (
	"reflect"
	"testing"
	"time"

	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/identity"
)

// TestServiceKey converts a key with nothing but what every key has, and one with everything.
func TestServiceKey(t *testing.T) {
	t.Parallel()
	created := time.Date(2026, 11, 26, 12, 0, 0, 999_999_000, time.UTC)
	key := identity.Key{ID: "a", Name: "n", Scopes: []identity.Scope{identity.Admin}, Created: created}
	want := server.Key{ID: "a", Name: "n", Scopes: []string{"admin"}, CreatedAt: "2026-11-26T12:00:00.999Z"}
	if got := serviceKey(&key); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	key.Expires, key.LastUsed = created.Add(time.Hour), created.Truncate(24*time.Hour)
	want.ExpiresAt, want.LastUsedOn = new("2026-11-26T13:00:00.999Z"), &openapi_types.Date{Time: key.LastUsed}
	if got := serviceKey(&key); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
