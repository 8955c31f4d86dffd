package apitest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// TestKeys makes, lists and revokes service keys.
func TestKeys(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		create := func(request client.CreateKeyRequest) client.CreatedKey {
			t.Helper()
			return *apitest.Call(s.CreateKeyWithResponse(t.Context(), request)).Must(t, http.StatusCreated).JSON201
		}
		list := func() []client.Key {
			t.Helper()
			return apitest.Call(s.ListKeysWithResponse(t.Context())).Must(t, http.StatusOK).JSON200.Keys
		}
		if keys := list(); len(keys) != 0 {
			t.Errorf("a new store has the keys %+v", keys)
		}
		expires := time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)
		one := create(client.CreateKeyRequest{Name: "the shop's <backend> é", Scopes: []client.Scope{client.MessagesRead, client.Admin}})
		two := create(client.CreateKeyRequest{Name: "for an hour", Scopes: []client.Scope{client.UsersExport}, ExpiresAt: &expires})
		if one.Key.Name != "the shop's <backend> é" || !slices.Equal(one.Key.Scopes, []string{"messages:read", "admin"}) || one.Key.ExpiresAt != nil ||
			one.Key.LastUsedOn != nil || time.Since(one.Key.CreatedAt).Abs() > time.Minute {
			t.Errorf("made %+v", one.Key)
		}
		if two.Key.ExpiresAt == nil || !two.Key.ExpiresAt.Equal(expires) {
			t.Errorf("made %+v, want it to expire at %s", two.Key, expires)
		}
		for _, made := range []client.CreatedKey{one, two} {
			if !strings.HasPrefix(made.Secret, "msk_"+made.Key.ID+"_") {
				t.Errorf("the key %s has the secret %s", made.Key.ID, made.Secret)
			}
			if principal, err := s.Identity.Authenticate(t.Context(), made.Secret); err != nil || principal.Key != made.Key.ID {
				t.Errorf("the secret of the key %s is of %+v, %v", made.Key.ID, principal, err)
			}
		}
		if keys := list(); len(keys) != 2 || keys[0].ID != one.Key.ID || keys[1].ID != two.Key.ID || keys[0].Name != one.Key.Name {
			t.Errorf("listed %+v", keys)
		}
		if listed := s.Do(t, http.MethodGet, "/v1/keys", nil); strings.Contains(listed.Body, "msk_") {
			t.Errorf("the list has a secret: %s", listed.Body)
		}

		apitest.Call(s.RevokeKeyWithResponse(t.Context(), one.Key.ID)).Must(t, http.StatusNoContent)
		if keys := list(); len(keys) != 1 || keys[0].ID != two.Key.ID {
			t.Errorf("after the revocation listed %+v", keys)
		}
		if _, err := s.Identity.Authenticate(t.Context(), one.Secret); err == nil {
			t.Error("a revoked key is accepted")
		}
		for _, id := range []string{one.Key.ID, "nobody", "env-0a1b2c3d"} {
			answer := apitest.Call(s.RevokeKeyWithResponse(t.Context(), id)).Must(t, http.StatusNotFound)
			if !strings.HasSuffix(answer.ApplicationProblemJSON404.Type, ":not-found") {
				t.Errorf("revoked %s: %s", id, answer.Body)
			}
		}
	})
}

// TestKeysRefused asks for keys that cannot be.
func TestKeysRefused(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		for body, want := range map[string]string{
			`{"scopes": ["admin"]}`:                                             "/name",
			`{"name": "", "scopes": ["admin"]}`:                                 "/name",
			`{"name": "a\nb", "scopes": ["admin"]}`:                             "/name",
			`{"name": "` + strings.Repeat("é", 101) + `", "scopes": ["admin"]}`: "/name",
			`{"name": "a"}`:                                                                  "/scopes",
			`{"name": "a", "scopes": []}`:                                                    "/scopes",
			`{"name": "a", "scopes": ["admin", "admin"]}`:                                    "/scopes",
			`{"name": "a", "scopes": ["admin", "root"]}`:                                     "/scopes/1",
			`{"name": "a", "scopes": ["admin"], "expiresAt": "2020-01-01T00:00:00Z"}`:        "/expiresAt",
			`{"name": "a", "scopes": ["admin"], "expiresAt": "0001-01-01T00:00:00Z"}`:        "/expiresAt",
			`{"name": "a", "scopes": ["admin"], "expiresAt": "tomorrow"}`:                    "/expiresAt",
			`{"name": "a", "scopes": ["admin"], "id": "mine"}`:                               "/id",
			`{"name": "a", "scopes": ["admin"], "expiresAt": null, "secret": "msk_1_2_333"}`: "/expiresAt /secret",
		} {
			answer := s.Do(t, http.MethodPost, "/v1/keys", strings.NewReader(body), "Content-Type: application/json")
			if places := strings.Join(errorPlaces(answer.Body), " "); answer.Status != http.StatusUnprocessableEntity || places != want {
				t.Errorf("%s: answered %d %s, want 422 for %s", body, answer.Status, answer.Body, want)
			}
		}
		if answer := s.Do(t, http.MethodDelete, "/v1/keys/a_b", nil); answer.Status != http.StatusUnprocessableEntity {
			t.Errorf("answered %d %s to an id that is none", answer.Status, answer.Body)
		}
		if keys := apitest.Call(s.ListKeysWithResponse(t.Context())).Must(t, http.StatusOK).JSON200.Keys; len(keys) != 0 {
			t.Errorf("made %+v", keys)
		}
	})
}
