package messaging

import (
	"context"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/mailbox"
)

// postgres is Postgres, and what speaks its protocol.
type postgres struct {
	db      *db.DB
	inSteps atomic.Bool // it does not take a batch at once
	words   *wordSorter // nil if there is nothing to sort
	changes map[int]string
}

func newPostgres(database *db.DB, search bool) engine {
	// Postgres keeps the plan of a prepared statement only if it seems no worse than one for the
	// parameters, and to make one takes longer than to read a feed. So it is not to know them while
	// it plans, nor is the limit a parameter: both plans are the same then, and TestPlans checks it.
	p := &postgres{db: database, changes: changesOfUser("(SELECT $1::text)", "(SELECT $2::uuid)")}
	if search {
		p.words = &wordSorter{db: database}
	}
	return p
}

func (p *postgres) rebind(statement string) string { return sqlx.Rebind(sqlx.DOLLAR, statement) }

func (p *postgres) stored(messages int) {
	if p.words != nil {
		p.words.add(messages)
	}
}

func (p *postgres) close(ctx context.Context) {
	if p.words == nil {
		return
	}
	done := make(chan struct{})
	go func() {
		p.words.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done(): // Postgres does it later
	}
}

// storeBatch is all that a batch does, as one statement of Postgres: it locks the
// mailboxes in the order of their users and sets the clocks. If all of those were behind
// the ids, and nobody among the users has ever blocked anyone, it stores the messages
// whose keys are new, and touches their conversations. What it reads after it has waited
// for the locks is what it has locked.
var storeBatch = `
	WITH drafts AS (
		SELECT * FROM unnest(` + arrayParameters() + `) AS draft (` + Messages.Columns() + `)
	), clocks AS (
		SELECT DISTINCT ON (user_id) user_id, id FROM (
			SELECT recipient COLLATE "C" AS user_id, id FROM drafts UNION ALL SELECT sender COLLATE "C", id FROM drafts
		) AS sides ORDER BY user_id, id DESC
	), locked AS (
		` + mailbox.SetClocks("SELECT user_id, id FROM clocks ORDER BY user_id", "$1::uuid") + `
	), free AS (
		SELECT FROM locked JOIN clocks USING (user_id) HAVING bool_and(clock = id AND NOT blocking)
	), stored AS (
		INSERT INTO messages (` + Messages.Columns() + `) SELECT ` + Messages.of("drafts") + ` FROM drafts, free` + unlessTaken + `
		RETURNING recipient, id, sender
	), touched AS (
		` + setLast(`
		SELECT DISTINCT ON (owner, peer) owner, peer, id FROM (
			SELECT recipient AS owner, sender AS peer, id FROM stored UNION ALL SELECT sender, recipient, id FROM stored
		) AS sides ORDER BY owner, peer, id DESC`) + `
	)
	SELECT id FROM stored`

func (p *postgres) storeBatch(ctx context.Context, list []*StoredMessage) (stored []ID, err error) {
	if p.inSteps.Load() {
		return nil, nil
	}
	err = p.db.Statement(ctx, mailbox.WriteTimeout, func(ctx context.Context, q sqlx.QueryerContext) error {
		stored = nil
		if err := sqlx.SelectContext(ctx, q, &stored, storeBatch, append([]any{list[0].ID}, arraysOf(list)...)...); err != nil {
			return fmt.Errorf("store a batch: %w", err)
		}
		return nil
	})
	if err == nil || errors.Is(err, db.ErrUnavailable) {
		return stored, err
	}
	p.inSteps.Store(db.IsUnsupported(err))
	return nil, nil // whose error it is will be found out one by one
}

// arrayParameters are the parameters of storeBatch after the smallest id: for each column an
// array of what the messages have there.
func arrayParameters() string {
	n := 1
	return Messages.each(func(c column[StoredMessage]) string {
		n++
		return fmt.Sprintf("$%d::%s[]", n, c.kind)
	})
}

// arraysOf writes the arrays.
func arraysOf(list []*StoredMessage) []any {
	arrays := make([]any, len(Messages.columns))
	for i, c := range Messages.columns {
		array := []byte{'{'}
		for _, m := range list {
			array = append(appendElement(array, c.kind, value(c.field(m))), ',')
		}
		array[len(array)-1] = '}'
		arrays[i] = string(array)
	}
	return arrays
}

// appendElement appends an element of an array.
func appendElement(b []byte, kind string, v driver.Value) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "NULL"...)
	case []byte:
		if kind == "bytea" {
			b = append(b, `"\\x`...)
			return append(hex.AppendEncode(b, v), '"')
		}
		return hex.AppendEncode(b, v) // of a uuid
	case string:
		return append(append(append(b, '"'), arrayQuotes.Replace(v)...), '"')
	default:
		return fmt.Append(b, v)
	}
}

var arrayQuotes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// merged has each of the two in that order and with that limit, too, so that it is two pages
// that remain to be sorted. Postgres would sort all of both.
func (p *postgres) merged(a, b, order string) string {
	return fmt.Sprintf("SELECT * FROM (%s %[3]s) AS a UNION ALL SELECT * FROM (%[2]s %[3]s) AS b %[3]s", a, b, order)
}

func (p *postgres) selectChanges(ctx context.Context, q sqlx.QueryerContext, user string, after ID, limit feedLimit) (ChangePage, error) {
	return selectChanges(ctx, q, p.changes, user, after, limit)
}

// selectChangesOf joins the feeds laterally, so that all of them take one round trip.
func (p *postgres) selectChangesOf(ctx context.Context, q sqlx.QueryerContext, after map[string]ID, limit feedLimit) (map[string]ChangePage, error) {
	users := slices.Sorted(maps.Keys(after))
	pages := make(map[string]ChangePage, len(users))
	var args []any
	values := make([]string, len(users))
	for i, user := range users {
		args = append(args, user, after[user])
		values[i] = fmt.Sprintf("(CAST($%d AS text), CAST($%d AS uuid))", len(args)-1, len(args))
	}
	building := make(map[string]*feedPage, len(users))
	err := eachChange(ctx, q, func(row *changeRow) (full bool, err error) {
		page, ok := building[row.mailbox]
		if !ok {
			page = &feedPage{limit: limit}
			building[row.mailbox] = page
		}
		_, err = page.add(row)
		return false, err
	}, `
		SELECT mailbox.user_id AS mailbox, changes.*
		FROM (VALUES `+strings.Join(values, ", ")+`) AS mailbox (user_id, after)
		CROSS JOIN LATERAL (`+changesOf("mailbox.user_id", "mailbox.after", limit)+`) AS changes`, args...)
	for user, page := range building {
		pages[user] = page.end()
	}
	return pages, err
}

// textWords are the words of a text, as the index of Postgres has them.
var textWords = func() string {
	text := "text"
	for _, mark := range "-./@_<&+~:" {
		text = fmt.Sprintf("replace(%s, '%c', ' ')", text, mark)
	}
	return "to_tsvector('simple', " + text + ")"
}()

// searchWalk is how many of the newest messages are looked at one by one before the
// index is asked: most words that fill a page are found there sooner.
const searchWalk = 1000

func (p *postgres) selectMatches(ctx context.Context, q sqlx.QueryerContext, query Query, bounds idRange, words []string) (Page, error) {
	ctx = db.WithCustomPlan(ctx) // the plan depends on how rare the words are
	where, args := query.where(bounds)
	n := len(args)
	mailboxes := strings.Join(mailboxWords(query, "'r:%s'", "'s:%s'", func(user string) string { return user }), " & ")
	args = append(args, strings.Join(words, " "), query.Limit+1)

	walk := fmt.Sprintf(`
		SELECT * FROM (SELECT %[1]s FROM messages WHERE %[2]s ORDER BY id %[3]s LIMIT %[4]d) AS newest
		WHERE %[7]s @@ plainto_tsquery('simple', $%[5]d) ORDER BY id %[3]s LIMIT $%[6]d`,
		messages.Columns(), where, query.direction(), searchWalk, n+1, n+2, textWords)
	page, err := selectPage(ctx, q, query.Limit, walk, args...)
	if err != nil || page.HasMore {
		return page, err
	}
	// OFFSET keeps the conditions of the list out of the inner query, where the planner
	// might take an index for them, and the texts of a whole mailbox apart. A text of no
	// words finds nothing, although the empty query finds everything.
	find := fmt.Sprintf(`
		SELECT * FROM (
		    SELECT %[1]s FROM messages
		    WHERE (array_to_tsvector(ARRAY['r:' || recipient, 's:' || sender]) || %[7]s)
		          @@ ($%[6]d::tsquery && plainto_tsquery('simple', $%[4]d))
		    AND numnode(plainto_tsquery('simple', $%[4]d)) > 0 AND deleted = false OFFSET 0) AS found
		WHERE %[2]s ORDER BY id %[3]s LIMIT $%[5]d`,
		messages.Columns(), where, query.direction(), n+1, n+2, n+3, textWords)
	return selectPage(ctx, q, query.Limit, find, append(args, mailboxes)...)
}

// sortInterval is after how many messages their words are sorted in. Fewer at a time take
// longer for each, and a search reads all those that are not sorted in yet.
const sortInterval = 1000

// wordSorter sorts the words of new messages into the index of searches, beside the
// sends. Postgres puts them on a list first, GIN's pending list, and where that gets long
// it lets the next send sort in all of it, which then takes several times as long as
// others. That is still so of very long messages, and where the server may not do it, as it
// does not own the index.
type wordSorter struct {
	db      *db.DB
	added   atomic.Int64 // messages since it was last done
	sorting atomic.Bool  // it is being done, or is refused
	running sync.WaitGroup
}

// add tells of new messages. If there are many by now, it lets their words be sorted in.
func (s *wordSorter) add(messages int) {
	if s.added.Add(int64(messages)) < sortInterval || !s.sorting.CompareAndSwap(false, true) {
		return
	}
	s.added.Store(0)
	s.running.Go(func() {
		err := s.db.Statement(context.Background(), mailbox.WriteTimeout, func(ctx context.Context, q sqlx.QueryerContext) error {
			var pages int64
			return sqlx.GetContext(ctx, q, &pages, "SELECT gin_clean_pending_list('messages_search')")
		})
		s.sorting.Store(db.IsUnsupported(err)) // after any other error it may succeed the next time
	})
}
