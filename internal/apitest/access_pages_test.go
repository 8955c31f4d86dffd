package apitest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
)

// TestAccessOfPages makes preflight requests for every operation, and requests without a credential, from web
// pages: whether a page may call the service does not depend on the credential, and it can read why it was refused.
func TestAccessOfPages(t *testing.T) {
	t.Parallel()
	a := newAccessTest(t, db.SQLite)
	values := strings.NewReplacer(
		"{userId}", "bob", "{peerId}", "alice", "{messageId}", uuid.NewString(), "{groupId}", "~team", "{keyId}", "none")
	for _, o := range operations(t) {
		for origin, allowed := range map[string]bool{webApp: true, "https://evil.example": false} {
			from := []string{"Origin: " + origin, "Sec-Fetch-Site: cross-site"}
			preflight := a.nobody.Do(t, http.MethodOptions, values.Replace(o.path), nil, append(from,
				"Access-Control-Request-Method: "+o.method, "Access-Control-Request-Headers: authorization")...)
			answer := a.nobody.Do(t, o.method, values.Replace(o.path), nil, from...)
			want, origins := http.StatusForbidden, []string(nil)
			if allowed {
				want, origins = http.StatusUnauthorized, []string{origin}
			}
			if allowed && o.isPublic() {
				want = o.success
			}
			if (preflight.Status == http.StatusNoContent) != allowed || answer.Status != want {
				t.Errorf("%s from %s: preflight %d, answered %d, want %d: %s", o.id, origin, preflight.Status, answer.Status, want, answer.Body)
			}
			for _, got := range []apitest.Answer{preflight, answer} {
				if !slices.Equal(got.Header["Access-Control-Allow-Origin"], origins) {
					t.Errorf("%s from %s: %d allows %v, want %v", o.id, origin, got.Status, got.Header["Access-Control-Allow-Origin"], origins)
				}
			}
		}
		options := a.nobody.Do(t, http.MethodOptions, values.Replace(o.path), nil)
		if options.Status != http.StatusNoContent || !strings.Contains(options.Header.Get("Allow"), o.method) {
			t.Errorf("OPTIONS of %s: %d %v", o.path, options.Status, options.Header)
		}
	}
}
