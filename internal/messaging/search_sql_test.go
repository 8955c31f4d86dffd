package messaging

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestSearchPlan checks that a search asks the index of words.
func TestSearchPlan(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		database := dbtest.Open(t, dbtest.NewURL(t, engine))
		fillPlanStore(t, database, 20_000)
		index := map[db.Engine]string{db.Postgres: "Bitmap Index Scan on messages_search", db.SQLite: "SCAN message_words VIRTUAL TABLE INDEX"}[engine]
		for _, query := range []Query{{Recipient: "quiet", Words: "message 77"}, {Sender: "quiet", Words: "77"}} {
			query.Limit = 100
			bounds, err := (query.Window).bounds()
			if err != nil {
				t.Fatal(err)
			}
			err = database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
				recorder := &planRecorder{QueryerContext: q, engine: engine}
				_, err := selectMatches(ctx, recorder, engines[database.Engine](database, true), query, bounds)
				if plans := recorder.plans.String(); !strings.Contains(plans, index) {
					t.Errorf("does not use %s:\n%s", index, plans)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestPunctuation checks that words end at any punctuation mark of ASCII, though the index
// of Postgres takes out only those that Postgres itself would not end a word at.
func TestPunctuation(t *testing.T) {
	const marks = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
	alphabet := []rune(marks + marks + marks + "aaeEfhptwwwxXZ0112é п")
	database := dbtest.Open(t, dbtest.NewURL(t, db.Postgres))
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	texts := make([]string, 50_000)
	for i := range texts {
		text := make([]rune, 2+random.IntN(12))
		for j := range text {
			text[j] = alphabet[random.IntN(len(alphabet))]
		}
		texts[i] = string(text)
	}
	var wrong []string
	err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.SelectContext(ctx, q, &wrong, `
			SELECT text FROM unnest($1::text[]) AS given (text)
			WHERE `+textWords+` <> to_tsvector('simple', translate(text, $2, repeat(' ', length($2)))) LIMIT 10`, texts, marks)
	})
	if err != nil || len(wrong) > 0 {
		t.Fatalf("other words: %q, %v", wrong, err)
	}
}

// TestPendingListFlusher checks that the pending list is flushed after every flushInterval messages,
// before a send has to.
func TestPendingListFlusher(t *testing.T) {
	database := dbtest.Open(t, dbtest.NewURL(t, db.Postgres))
	service := New(database, Options{})
	for round := range 2 {
		var sends sync.WaitGroup
		for i := range flushInterval {
			sends.Go(func() {
				if _, _, err := service.Send(t.Context(), Draft{
					Sender: fmt.Sprint("sender-", i), Recipient: fmt.Sprint("recipient-", i), Text: "some words", IdempotencyKey: fmt.Sprint(round),
				}); err != nil {
					t.Error(err)
				}
			})
		}
		sends.Wait()
		service.engine.(*postgres).flusher.running.Wait()
		var pending int
		err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
			return sqlx.GetContext(ctx, q, &pending, "SELECT gin_clean_pending_list('messages_search')")
		})
		if err != nil || pending > 0 {
			t.Errorf("round %d: %d pages are on the pending list, %v", round, pending, err)
		}
	}
	if err := service.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// planRecorder records the plan of each query before it runs it.
type planRecorder struct {
	sqlx.QueryerContext

	engine db.Engine
	plans  strings.Builder
}

// QueryxContext explains the query and then runs it.
func (r *planRecorder) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	explain := map[db.Engine]string{db.Postgres: "EXPLAIN ", db.SQLite: "EXPLAIN QUERY PLAN "}[r.engine]
	rows, err := r.QueryerContext.QueryxContext(ctx, explain+query, args...) //nolint:sqlclosecheck // it is closed below
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // it is read to its end
	for rows.Next() {
		columns, err := rows.SliceScan()
		if err != nil {
			return nil, err
		}
		if text, ok := columns[len(columns)-1].(string); ok {
			r.plans.WriteString(text + "\n")
		} else if text, ok := columns[len(columns)-1].([]byte); ok {
			r.plans.Write(append(text, '\n'))
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return r.QueryerContext.QueryxContext(ctx, query, args...) //nolint:sqlclosecheck // the caller closes it
}
