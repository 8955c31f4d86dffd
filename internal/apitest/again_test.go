package apitest_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/message-service/message-service/api/messageservice"
)

// again repeats a request until it is not answered 503, and returns the answer.
func again[A messageservice.Answer](t *testing.T, request func() (A, error)) A {
	t.Helper()
	for {
		answer, err := request()
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode() != http.StatusServiceUnavailable {
			return answer
		}
		<-time.After(retryPause)
	}
}

// retried is again for a request that succeeds, or is answered in another way that may be.
func retried[A messageservice.Answer](t *testing.T, request func() (A, error), others ...int) A {
	t.Helper()
	answer := again(t, request)
	if status := answer.StatusCode(); status >= http.StatusBadRequest && !slices.Contains(others, status) {
		t.Errorf("answered %s: %s", answer.Status(), answer.GetBody())
	}
	return answer
}
