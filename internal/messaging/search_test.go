package messaging

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/searchindex"
	"github.com/message-service/message-service/internal/words"
	"github.com/message-service/message-service/internal/words/wordstest"
)

// writings are the ways in which the same word may be typed.
var writings = []func(string) string{
	norm.NFC.String, norm.NFD.String, norm.NFKC.String, norm.NFKD.String, strings.ToUpper, strings.ToLower,
	func(s string) string { return cases.Title(language.Und).String(s) },
	func(s string) string { return cases.Upper(language.Turkish).String(s) },
	func(s string) string { return norm.NFD.String(cases.Fold().String(s)) },
}

// TestEveryWordFindsItsText sends random texts, of the characters of all languages of docs/guides/search.md,
// and must find each by each of its words, however it is typed, before and after it is indexed. It
// logs the seed.
func TestEveryWordFindsItsText(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	guide, err := os.ReadFile("../../docs/guides/search.md")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := wordstest.Examples(string(guide))
	if err != nil {
		t.Fatal(err)
	}
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		random := rand.New(rand.NewPCG(seed, 0))
		service := New(dbtest.Open(t, dbtest.NewURL(t, engine)), Options{})
		defer service.Close(t.Context()) //nolint:errcheck // nothing waits
		var sent []Message
		for range dbtest.Size(20, 100, 200) {
			sent = append(sent, sendText(t, service, randomText(random, examples)))
		}
		findByEveryWord(t, service, random, sent)
		sendTexts(t, service, "!", indexMessages)
		if err := service.indexer.catchUp(t.Context(), "bob"); err != nil {
			t.Fatal(err)
		}
		read(t, service, func(ctx context.Context, q sqlx.QueryerContext) error {
			end, err := searchindex.IndexedUpTo(ctx, q, "bob")
			if end.Compare(sent[len(sent)-1].ID) < 0 {
				t.Error("they are not indexed")
			}
			return err
		})
		findByEveryWord(t, service, random, sent)
	})
}

// randomText makes a text of pieces of up to 8 characters from examples of a few languages.
func randomText(random *rand.Rand, examples []wordstest.Example) string {
	var text strings.Builder
	text.WriteString("x")
	for range 1 + random.IntN(5) {
		characters := []rune(examples[random.IntN(len(examples))].Text)
		for range 1 + random.IntN(8) {
			text.WriteRune(characters[random.IntN(len(characters))])
		}
		text.WriteString([]string{" ", "", "-", ", "}[random.IntN(4)])
	}
	return writings[random.IntN(len(writings))](text.String())
}

func sendText(t *testing.T, service *Service, text string) Message {
	t.Helper()
	m, _, err := service.Send(t.Context(), AsService, Draft{Sender: "alice", Recipient: "bob", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// sendTexts sends n messages at once.
func sendTexts(t *testing.T, service *Service, text string, n int) {
	t.Helper()
	var sending sync.WaitGroup
	for range n {
		sending.Go(func() {
			if _, _, err := service.Send(t.Context(), AsService, Draft{Sender: "alice", Recipient: "bob", Text: text}); err != nil {
				t.Error(err)
			}
		})
	}
	sending.Wait()
}

// findByEveryWord searches for all words of messages. The newest of those up to a message that have a word
// of it must be the message.
func findByEveryWord(t *testing.T, service *Service, random *rand.Rand, sent []Message) {
	t.Helper()
	for _, m := range sent {
		list := words.Of(m.Text)
		slices.Sort(list) // so that the seed decides
		for _, word := range list {
			typed := writings[random.IntN(len(writings))](word)
			query := Query{Recipient: "bob", Words: typed, Window: Window{Before: new(m.ID.Successor()), Limit: 1}}
			page, err := service.List(t.Context(), AsService, query)
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Messages) != 1 || page.Messages[0].ID != m.ID {
				t.Errorf("%+q does not find %+q", typed, m.Text)
			}
		}
	}
}

// counted counts the statements of a read.
type counted struct {
	sqlx.QueryerContext

	statements int
}

func (c *counted) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	c.statements++
	return c.QueryerContext.QueryxContext(ctx, query, args...)
}

// TestSearchStatements looks for one message with a phrase whose words are often, but never together. It
// must not read the candidates one by one.
func TestSearchStatements(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		service := New(dbtest.Open(t, dbtest.NewURL(t, engine)), Options{})
		defer service.Close(t.Context()) //nolint:errcheck // nothing waits
		sendTexts(t, service, "beta alpha", 2*indexMessages)
		if err := service.indexer.catchUp(t.Context(), "bob"); err != nil {
			t.Fatal(err)
		}
		query := Query{Recipient: "bob", Words: "alpha-beta", Window: Window{Limit: 1}}
		bounds, err := query.bounds()
		if err != nil {
			t.Fatal(err)
		}
		search, err := searchOf(service.engine, "bob", query, bounds)
		if err != nil {
			t.Fatal(err)
		}
		read(t, service, func(ctx context.Context, q sqlx.QueryerContext) error {
			c := counted{QueryerContext: q}
			page, err := search.page(ctx, &c)
			if c.statements > 20 || len(page.Messages) > 0 || page.HasMore {
				t.Errorf("%d statements, %+v", c.statements, page)
			}
			return err
		})
	})
}

func read(t *testing.T, service *Service, fn func(context.Context, sqlx.QueryerContext) error) {
	t.Helper()
	if err := service.db.Read(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}
