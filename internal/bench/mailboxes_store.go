package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"slices"
	"time"
)

// store is a server on a store of mailboxes: large ones, and equal ones of others, of 1,000 messages each
// from 20 peers in turn, which are the last of the list together.
type store struct {
	*server

	mailboxes []mailbox
	others    int // messages
	messages  int // all
}

// storePeers are the peers of each user.
const storePeers = 20

func (st *store) users() int { return st.others / 1000 }

func (st *store) peer(n int) int { return n % max(st.users(), storePeers) }

// largeMailboxes are those that are searched.
func (s *suite) largeMailboxes() []mailbox {
	short, long := 100_000/int(s.scale), 30_000/int(s.scale)
	return []mailbox{
		{"short", number(float64(short)) + " short messages", short, 60},
		{"long", number(float64(long)) + " texts of 4 kB", long, 4000},
	}
}

// loadStore imports a store and starts a server on it. When it returns, the server has nothing left to do.
func (s *suite) loadStore(ctx context.Context, engine engine, large []mailbox, others int) (*store, error) {
	name := fmt.Sprintf("%s, among %s messages of others", engine.title, number(float64(others)))
	s.progress("%s: %s: import", s.result.Name, name)
	database, err := engine.newDatabase(s, ctx)
	if err != nil {
		return nil, err
	}
	st := &store{server: &server{engine: engine, database: database}, others: others}
	st.mailboxes = slices.Concat(large, []mailbox{{messages: others, bytes: 60}})
	for _, m := range st.mailboxes {
		st.messages += m.messages
	}
	reader, writer := io.Pipe()
	defer reader.Close() //nolint:errcheck // it never fails
	go func() { _ = writer.CloseWithError(st.write(writer)) }()
	command := exec.CommandContext(ctx, s.Binary, "import", "-", "--database-url", database)
	command.Stdin = reader
	if err := execute(command); err != nil {
		return nil, err
	}
	start := time.Now()
	if st.process, err = s.startServerOn(ctx, database); err != nil {
		return nil, err
	}
	if err := s.settle(ctx, st.process); err != nil {
		return nil, err
	}
	s.result.record(name+", until all is indexed", time.Since(start).Seconds(), "s")
	if engine.title == postgres.title { // what autovacuum does within minutes
		err = query(ctx, "postgres", database, "VACUUM ANALYZE")
	}
	return st, err
}

// write writes the store as an export, with the same texts each time. The messages come evenly over the
// last 20 days, each to any of the mailboxes.
func (st *store) write(w io.Writer) error {
	const during = 20 * 24 * time.Hour
	start, random := time.Now().Add(-during).UTC(), rand.New(rand.NewPCG(1, 2))
	out, hash := bufio.NewWriter(w), sha256.New()
	written, all := make([]int, len(st.mailboxes)), st.messages
	for n := range all {
		i, place := 0, random.IntN(all-n)
		for ; place >= st.mailboxes[i].messages-written[i]; i++ {
			place -= st.mailboxes[i].messages - written[i]
		}
		m, k := st.mailboxes[i], written[i]
		written[i]++
		sender, recipient := fmt.Sprintf("peer-%d", random.IntN(storePeers)), m.owner
		if recipient == "" {
			user := k % st.users()
			sender, recipient = fmt.Sprintf("peer-%d", st.peer(user+k/st.users()%storePeers)), fmt.Sprintf("user-%d", user)
		}
		at := start.Add(during / time.Duration(all) * time.Duration(n))
		if _, err := fmt.Fprintf(io.MultiWriter(out, hash),
			`{"type":"message","message":{"id":"%08x-%04x-7%03x-8%03x-%012x","sender":"%s","recipient":"%s","text":"%s","sentAt":"%s"}}`+"\n",
			at.UnixMilli()>>16, at.UnixMilli()&0xffff, n&0xfff, random.IntN(1<<12), random.Int64N(1<<48),
			sender, recipient, m.text(random, k), at.Format("2006-01-02T15:04:05.000Z")); err != nil {
			return err
		}
	}
	_, _ = fmt.Fprintf(out, `{"type":"end","records":%d,"sha256":"%x"}`+"\n", all, hash.Sum(nil)) // Flush returns its error
	return out.Flush()
}
