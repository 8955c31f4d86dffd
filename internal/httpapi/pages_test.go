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

// TestLargePageWaits writes a large page when its budget is used up: it is discarded, and composed again
// once there is room, or refused after acquireTimeout. A small page does not wait.
func TestLargePageWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemoryBudget()
		composed := 0
		write := func(bytes int) (int, error) {
			w := httptest.NewRecorder()
			err := m.write(plainExchange(t), w, func([]byte) ([]byte, *string, error) {
				composed++
				return make([]byte, bytes), nil, nil
			})
			return w.Body.Len(), err
		}
		if err := m.large.Acquire(t.Context(), largePagesBudget); err != nil {
			t.Fatal(err)
		}
		if n, err := write(smallPageBytes); n != smallPageBytes || err != nil || composed != 1 {
			t.Errorf("small: %d bytes, %v, composed %d times", n, err, composed)
		}
		start := time.Now()
		_, err := write(smallPageBytes + 1)
		if p, ok := errors.AsType[*problem.Error](err); !ok || p.Kind.Status != http.StatusServiceUnavailable || time.Since(start) != acquireTimeout || composed != 2 {
			t.Errorf("large: %v after %s, composed %d times", err, time.Since(start), composed)
		}
		time.AfterFunc(time.Second, func() { m.large.Release(largePagesBudget) })
		if n, err := write(smallPageBytes + 1); n != smallPageBytes+1 || err != nil || composed != 4 {
			t.Errorf("large, later: %d bytes, %v, composed %d times", n, err, composed)
		}
		if !m.large.TryAcquire(largePagesBudget) || !m.small.TryAcquire(smallPagesBudget) {
			t.Error("the budget was not released")
		}
	})
}

// TestSmallPageWaits writes a small page when the budget of small pages is used up: it waits, and uses the
// budget of large pages only if it has grown meanwhile.
func TestSmallPageWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemoryBudget()
		write := func(bytes ...int) <-chan error {
			result := make(chan error, 1)
			go func() {
				result <- m.write(plainExchange(t), httptest.NewRecorder(), func([]byte) ([]byte, *string, error) {
					body := make([]byte, bytes[0])
					bytes = bytes[1:]
					return body, nil, nil
				})
			}()
			synctest.Wait()
			return result
		}
		if err := m.small.Acquire(t.Context(), smallPagesBudget); err != nil {
			t.Fatal(err)
		}
		page := write(100, 200)
		select {
		case err := <-page:
			t.Fatalf("a small page did not wait for its budget: %v", err)
		default:
		}
		m.small.Release(smallPageBytes)
		if err := <-page; err != nil {
			t.Errorf("small, later: %v", err)
		}
		if err := <-write(smallPageBytes + 1); err != nil {
			t.Errorf("large: %v", err)
		}
		if !m.small.TryAcquire(smallPageBytes) {
			t.Fatal("the budget was not released")
		}
		page = write(100, smallPageBytes+1, smallPageBytes+1)
		m.small.Release(smallPagesBudget)
		if err := <-page; err != nil {
			t.Errorf("grown: %v", err)
		}
		if !m.large.TryAcquire(largePagesBudget) || !m.small.TryAcquire(smallPagesBudget) {
			t.Error("the budget was not released")
		}
	})
}
