package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/message-service/message-service/internal/httpapi/problem"
)

// plainExchange is the context of a request without headers.
func plainExchange(t *testing.T) context.Context {
	return context.WithValue(t.Context(), exchangeKey{}, &exchange{})
}

// TestAnswersWait writes a large page where there is no room for it: it is forgotten, and
// composed again when there is, or refused after a while. A small one does not wait.
func TestAnswersWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAnswers()
		composed := 0
		write := func(bytes int) (int, error) {
			w := httptest.NewRecorder()
			err := a.write(plainExchange(t), w, func([]byte) ([]byte, *string, error) {
				composed++
				return make([]byte, bytes), nil, nil
			})
			return w.Body.Len(), err
		}
		if err := a.large.Acquire(t.Context(), largeAnswers); err != nil {
			t.Fatal(err)
		}
		if n, err := write(smallAnswer); n != smallAnswer || err != nil || composed != 1 {
			t.Errorf("small: %d bytes, %v, composed %d times", n, err, composed)
		}
		start := time.Now()
		_, err := write(smallAnswer + 1)
		if p, ok := errors.AsType[*problem.Error](err); !ok || p.Kind.Status != http.StatusServiceUnavailable || time.Since(start) != answerWait || composed != 2 {
			t.Errorf("large: %v after %s, composed %d times", err, time.Since(start), composed)
		}
		time.AfterFunc(time.Second, func() { a.large.Release(largeAnswers) })
		if n, err := write(smallAnswer + 1); n != smallAnswer+1 || err != nil || composed != 4 {
			t.Errorf("large, later: %d bytes, %v, composed %d times", n, err, composed)
		}
		if !a.large.TryAcquire(largeAnswers) || !a.small.TryAcquire(smallAnswers) {
			t.Error("room was not given back")
		}
	})
}

// TestSmallAnswersWait writes a small page where there is no room for small ones: it waits for
// as much as it takes, and leaves the room of large ones alone, unless it has grown meanwhile.
func TestSmallAnswersWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAnswers()
		write := func(bytes ...int) <-chan error {
			result := make(chan error, 1)
			go func() {
				result <- a.write(plainExchange(t), httptest.NewRecorder(), func([]byte) ([]byte, *string, error) {
					body := make([]byte, bytes[0])
					bytes = bytes[1:]
					return body, nil, nil
				})
			}()
			synctest.Wait()
			return result
		}
		if err := a.small.Acquire(t.Context(), smallAnswers); err != nil {
			t.Fatal(err)
		}
		page := write(100, 200)
		select {
		case err := <-page:
			t.Fatalf("a small page takes the room of large ones: %v", err)
		default:
		}
		a.small.Release(smallAnswer)
		if err := <-page; err != nil {
			t.Errorf("small, later: %v", err)
		}
		if err := <-write(smallAnswer + 1); err != nil {
			t.Errorf("large: %v", err)
		}
		if !a.small.TryAcquire(smallAnswer) {
			t.Fatal("room was not given back")
		}
		page = write(100, smallAnswer+1, smallAnswer+1)
		a.small.Release(smallAnswers)
		if err := <-page; err != nil {
			t.Errorf("grown: %v", err)
		}
		if !a.large.TryAcquire(largeAnswers) || !a.small.TryAcquire(smallAnswers) {
			t.Error("room was not given back")
		}
	})
}
