package apitest_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/message-service/message-service/api/messageservice"
	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// expiring returns a token of bob that the server accepts for a few more seconds: it expired almost 30 seconds ago.
func expiring(t *testing.T) string {
	now := time.Now()
	return apitest.Sign(t, jwt.SigningMethodHS256, apitest.TokenSecretID, []byte(apitest.TokenSecret), jwt.MapClaims{
		"sub": "bob", "aud": apitest.TokenAudience, "iat": now.Add(-time.Minute).Unix(), "exp": now.Add(-27 * time.Second).Unix(),
	})
}

// TestGoSDKRenews follows with a token that ends meanwhile: with the next one nothing is missed and nothing comes twice.
func TestGoSDKRenews(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.StartAuthenticated(t, dbtest.NewURL(t, engine))
		tokens := []string{expiring(t), apitest.Token(t, "bob", time.Now()), "one too many"}
		asked := 0
		api, err := messageservice.New(s.URL, messageservice.WithTokenSource(func(context.Context) (string, error) {
			asked++
			return tokens[asked-1], nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		ready, sent := make(chan struct{}, 10), make(chan []uuid.UUID, 1)
		go func() {
			var ids []uuid.UUID
			<-ready
			for text := "x"; ; {
				select {
				case <-ready: // again, over the second stream
					text = "the end"
				default:
				}
				response, err := s.SendMessageWithResponse(t.Context(), nil, client.SendMessageRequest{Sender: "alice", Recipient: "bob", Text: text})
				if err != nil || response.JSON201 == nil {
					t.Errorf("send: %v", err)
					break
				}
				if ids = append(ids, response.JSON201.ID); text != "x" {
					break
				}
			}
			sent <- ids
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var got []uuid.UUID
		options := &messageservice.FollowOptions{Ready: func(uuid.UUID) { ready <- struct{}{} }}
		for change, err := range messageservice.Follow(ctx, api, "bob", options) {
			if err != nil {
				t.Fatalf("after %d changes: %v", len(got), err)
			}
			if got = append(got, change.Cursor); change.Message.Text != "x" {
				break
			}
		}
		if want := <-sent; !slices.Equal(got, want) || asked != 2 {
			t.Errorf("got %d changes with %d tokens, want %d with 2", len(got), asked, len(want))
		}
	})
}

// TestGoSDKRevoked ends following when the tokens of the user are revoked and the source has no newer one.
func TestGoSDKRevoked(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.StartAuthenticated(t, dbtest.NewURL(t, engine))
		token, asked := apitest.Token(t, "bob", time.Now().Add(-time.Minute)), 0
		api, err := messageservice.New(s.URL, messageservice.WithTokenSource(func(context.Context) (string, error) {
			asked++
			return token, nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		options := &messageservice.FollowOptions{Ready: func(uuid.UUID) {
			response, err := s.SetTokenRevocationWithResponse(t.Context(), "bob", client.SetTokenRevocationRequest{IssuedBefore: time.Now()})
			if err != nil || response.StatusCode() != http.StatusOK {
				t.Error(fmt.Errorf("revoke: %s %w", response.Body, err))
			}
		}}
		for _, err = range messageservice.Follow(t.Context(), api, "bob", options) {
		}
		if wantProblem(t, err, messageservice.CredentialRevoked, http.StatusUnauthorized); asked != 2 {
			t.Errorf("the source was asked %d times", asked)
		}
	})
}
