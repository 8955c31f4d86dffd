package apitest_test

import "net/http"

// credentialScenarios are about tokens. A source is asked once, and once more if the service says
// that its token has expired or was revoked.
var credentialScenarios = []*scenario{
	{Name: "token", Call: "read", Want: "200", Token: "k", steps: []step{succeed}, attempts: 1, bearers: "k"},
	{Name: "token-expired", Call: "read", Want: "401", Token: "k", steps: []step{expired, succeed}, attempts: 1, bearers: "k"},
	{Name: "token-kept", Call: "read", Want: "200", Tokens: []string{"a", "b"}, steps: []step{refuse(503, ""), succeed}, attempts: 2, bearers: "a a"},
	{Name: "expired", Call: "keyedSend", Want: "201", Tokens: []string{"a", "b", "c"}, steps: []step{expired, succeed}, attempts: 2, bearers: "a b"},
	{Name: "revoked", Call: "send", Want: "201", Tokens: []string{"a", "b", "c"}, steps: []step{revoked, succeed}, attempts: 2, bearers: "a b"},
	{Name: "expired-edit", Call: "edit", Want: "200", Tokens: []string{"a", "b", "c"}, steps: []step{expired, succeed}, attempts: 2, bearers: "a b"},
	{Name: "expired-always", Call: "read", Want: "401", Tokens: []string{"a", "b", "c"}, steps: []step{expired}, attempts: 2, bearers: "a b"},
	{Name: "expired-and-busy", Call: "erase", Want: "204", Tokens: []string{"a", "b", "c"},
		steps: []step{refuse(503, ""), expired, refuse(429, "1"), succeed}, attempts: 4, bearers: "a a b b"},
	{Name: "expired-busy-expired", Call: "read", Want: "401", Tokens: []string{"a", "b", "c"},
		steps: []step{expired, refuse(503, ""), expired, succeed}, attempts: 3, bearers: "a b b"},
	{Name: "expired-without-another", Call: "read", Want: "error", Tokens: []string{"a", ""}, steps: []step{expired, succeed}, attempts: 1, bearers: "a"},
	{Name: "no-token", Call: "block", Want: "error", Tokens: []string{""}, steps: []step{succeed}},
	{Name: "no-header-of-a-token", Call: "read", Want: "error", Tokens: []string{"a\nb"}, steps: []step{succeed}},
	{Name: "invalid", Call: "read", Want: "401", Tokens: []string{"a", "b"}, steps: []step{refuseAs("credential-invalid", 401, ""), succeed}, attempts: 1, bearers: "a"},
	{Name: "required", Call: "read", Want: "401", Tokens: []string{"a", "b"}, steps: []step{refuseAs("credential-required", 401, ""), succeed}, attempts: 1, bearers: "a"},
	{Name: "forbidden", Call: "read", Want: "403", Tokens: []string{"a", "b"}, steps: []step{refuseAs("forbidden", 403, ""), succeed}, attempts: 1, bearers: "a"},
	{Name: "redirected", Call: "read", Want: "307", Token: "k", steps: []step{redirect, succeed}, attempts: 1, bearers: "k"},
	{Name: "redirected-send", Call: "send", Want: "307", Tokens: []string{"a"}, steps: []step{redirect, succeed}, attempts: 1, bearers: "a"},
}

var (
	expired = refuseAs("credential-expired", http.StatusUnauthorized, "")
	revoked = refuseAs("credential-revoked", http.StatusUnauthorized, "")
)

// redirect sends the client to the same place, where its request would succeed.
func redirect(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Location", "http://"+r.Host+r.URL.String())
	refuse(http.StatusTemporaryRedirect, "")(w, r)
}
