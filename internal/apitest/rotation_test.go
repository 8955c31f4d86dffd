package apitest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/identity"
)

// rotation is two replicas and users whose requests go to either, while credentials are replaced. A user keeps a
// credential until the next call of renew.
type rotation struct {
	t          *testing.T
	url        string
	replicas   [2]atomic.Pointer[apitest.Server]
	credential func(user string) string // makes one, of the kind that is good at the time
	renewals   atomic.Int64
	users      [8]atomic.Int64 // the renewal after which each has made a request
	requests   atomic.Int64
	stop       func() // ends the requests, before the replicas stop
}

func startRotation(t *testing.T, engine db.Engine, options app.Options, credential func(r *rotation) func(user string) string) *rotation {
	t.Helper()
	r := &rotation{t: t, url: dbtest.NewURL(t, engine)}
	r.credential = credential(r)
	for i := range r.replicas {
		r.replicas[i].Store(r.start(options))
	}
	ctx, cancel := context.WithCancel(context.Background())
	var users sync.WaitGroup
	for i := range r.users {
		users.Go(func() { r.use(ctx, i) })
	}
	r.stop = func() {
		cancel()
		users.Wait()
		t.Logf("%d requests", r.requests.Load())
	}
	r.renew()
	return r
}

func (r *rotation) start(options app.Options) *apitest.Server {
	r.t.Helper()
	options.API = httpapi.Options{Authenticate: true}
	options.Identity.Audience = apitest.TokenAudience
	return apitest.StartWith(r.t, r.url, options)
}

// restart restarts a replica with other options.
func (r *rotation) restart(replica int, options app.Options) {
	r.t.Helper()
	r.replicas[replica].Load().Stop()
	r.replicas[replica].Store(r.start(options))
}

// renew waits until every user has made requests with a new credential.
func (r *rotation) renew() {
	r.t.Helper()
	renewal := r.renewals.Add(1)
	for i := range r.users {
		until(r.t, func() bool { return r.users[i].Load() >= renewal })
	}
}

// use makes requests as a user.
func (r *rotation) use(ctx context.Context, i int) {
	user, credential := fmt.Sprint("user-", i), ""
	for has := int64(-1); ctx.Err() == nil && !r.t.Failed(); {
		if renewal := r.renewals.Load(); has != renewal {
			has, credential = renewal, r.credential(user)
		}
		body := fmt.Sprintf(`{"sender": %q, "recipient": "bob", "text": "x"}`, user)
		r.request(http.MethodPost, "/v1/messages", body, credential)
		r.request(http.MethodGet, "/v1/messages?limit=1&sender="+user, "", credential)
		r.users[i].Store(has)
	}
}

// request makes a request to either replica, and to the other one if that is not there.
func (r *rotation) request(method, path, body, credential string) (answer string) {
	first := int(r.requests.Add(1))
	for try := 0; !r.t.Failed(); try++ {
		replica := r.replicas[(first+try)%len(r.replicas)].Load()
		request, err := http.NewRequest(method, replica.URL+path, strings.NewReader(body))
		if err != nil {
			r.t.Error(err)
			return ""
		}
		request.Header = http.Header{"Authorization": {"Bearer " + credential}, "Content-Type": {"application/json"}}
		response, err := replica.HTTP.Do(request)
		if err != nil {
			continue
		}
		text, err := io.ReadAll(response.Body)
		if err != nil || response.Body.Close() != nil {
			continue
		}
		if response.StatusCode >= 300 {
			r.t.Errorf("%s %s with a valid credential: answered %d %s", method, path, response.StatusCode, text)
		}
		return string(text)
	}
	return ""
}

// refused waits until a credential is refused by both replicas.
func (r *rotation) refused(credential string) {
	r.t.Helper()
	begun := time.Now()
	for i := range r.replicas {
		replica := r.replicas[i].Load().With("")
		until(r.t, func() bool {
			after := time.Since(begun)
			answer := replica.Do(r.t, http.MethodGet, "/v1/messages?recipient=user-0", nil, "Authorization: Bearer "+credential)
			refused := answer.Status == http.StatusUnauthorized
			if !refused && after > 2*time.Second {
				r.t.Errorf("the former credential was accepted after %s", after)
			}
			return refused
		})
	}
}

func secrets(t *testing.T, text string) (options app.Options) {
	t.Helper()
	for _, id := range []string{"old", "new"} {
		text = strings.Replace(text, id, id+"="+id+strings.Repeat("-secret", 5), 1)
	}
	var err error
	if options.Identity.Secrets, err = identity.ParseSecrets(text); err != nil {
		t.Fatal(err)
	}
	return options
}

// TestRotateSecrets replaces the secret that signs tokens, over restarts of one replica at a time.
func TestRotateSecrets(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		r := startRotation(t, engine, secrets(t, "old"), func(r *rotation) func(string) string {
			return func(user string) string {
				answer := r.request(http.MethodPost, "/v1/tokens", `{"userId": "`+user+`"}`, apitest.ServiceKey)
				var made client.CreatedToken
				if err := json.Unmarshal([]byte(answer), &made); err != nil {
					t.Errorf("%v: %s", err, answer)
				}
				return made.Token
			}
		})
		defer r.stop()
		former := r.credential("user-0")
		for _, text := range []string{"old,new", "new,old", "new"} {
			for replica := range r.replicas {
				r.restart(replica, secrets(t, text))
				r.renew() // so nobody has a token of the former secret when it is dropped
			}
		}
		r.refused(former)
	})
}

// TestRotateKey replaces a service key.
func TestRotateKey(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		var key atomic.Pointer[client.CreatedKey]
		r := startRotation(t, engine, app.Options{}, func(r *rotation) func(string) string {
			return func(string) string {
				if key.Load() == nil {
					key.CompareAndSwap(nil, new(r.replicas[0].Load().NewKey(t, "test", client.MessagesRead, client.MessagesWrite)))
				}
				return key.Load().Secret
			}
		})
		defer r.stop()
		former := key.Swap(new(r.replicas[1].Load().NewKey(t, "test", client.MessagesRead, client.MessagesWrite)))
		r.renew()
		apitest.Call(r.replicas[0].Load().RevokeKeyWithResponse(t.Context(), former.Key.ID)).Must(t, http.StatusNoContent)
		r.refused(former.Secret)
		r.renew()
	})
}

// TestRotateIssuer replaces the key of the issuer, which publishes the next one before it signs with it, and
// withdraws the former one when its tokens have expired.
func TestRotateIssuer(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		issuer := apitest.NewIssuer(t)
		var signer atomic.Pointer[func(user string) string]
		publish := func(id string) {
			key := issuer.Publish(t, id)
			signer.Store(new(func(user string) string { return issuer.Token(t, id, key, user) }))
		}
		publish("first")
		r := startRotation(t, engine, app.Options{Identity: identity.Options{Issuer: issuer.Options()}}, func(*rotation) func(string) string {
			return func(user string) string { return (*signer.Load())(user) }
		})
		defer r.stop()
		publish("second")
		r.renew()
		issuer.Withdraw("first")
		r.renew()
	})
}
