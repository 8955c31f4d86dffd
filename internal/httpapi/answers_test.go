package httpapi

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// TestAnswersWait writes a large page where there is no room for it: it is forgotten, and
// composed again when there is, or refused after a while. A small one does not wait.
func TestAnswersWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAnswers()
		composed := 0
		write := func(bytes int) (int, error) {
			w := httptest.NewRecorder()
			err := a.write(t.Context(), w, func([]byte) ([]byte, *string, error) {
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
		if p, ok := errors.AsType[*problem](err); !ok || p.kind.status != http.StatusServiceUnavailable || time.Since(start) != answerWait || composed != 2 {
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
