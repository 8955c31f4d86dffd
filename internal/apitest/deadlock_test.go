package apitest_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

const (
	crossGroups  = 10
	crossUsers   = 20 // half of whom are in each group
	crossWriters = 64
)

// crossTest is a run of TestNoDeadlock.
type crossTest struct {
	replicas []*apitest.Server
	changed  atomic.Int64

	mu    sync.Mutex
	texts map[uuid.UUID]string // of the messages that must be there
}

// TestNoDeadlock has many writers on three replicas, two of which have wrong clocks, send to ten groups whose
// members overlap crosswise, and to each other, and meanwhile edit, delete, mark, block, add, remove and erase, while
// Postgres is killed twice: there is no deadlock, and what was acknowledged is stored, once. It logs the seed.
func TestNoDeadlock(t *testing.T) {
	t.Parallel()
	seed, each := uint64(time.Now().UnixNano()), dbtest.Size(5, 25, 150)
	t.Logf("seed %d", seed)
	cluster := dbtest.NewCluster(t)
	c := &crossTest{texts: map[uuid.UUID]string{}}
	for _, skew := range []time.Duration{0, time.Second, -time.Second} {
		now := func() time.Time { return time.Now().Add(skew) }
		c.replicas = append(c.replicas, apitest.StartWith(t, cluster.URL, app.Options{Messaging: messaging.Options{Now: now}}))
	}
	for i := range crossGroups {
		var members []string
		for j := range crossUsers / 2 {
			members = append(members, crossMember(i, j))
		}
		c.replicas[0].NewGroup(t, crossGroup(i), members[0], members[1:]...)
	}
	c.replicas[0].Block(t, crossUser(0), "somebody") // so that batches with this user look for blocks

	var writing sync.WaitGroup
	for i := range crossWriters {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		writing.Go(func() {
			var mine []uuid.UUID
			for j := 0; j < each && !t.Failed(); j++ {
				mine = c.write(t, random, mine)
				if n := c.changed.Add(1); n == int64(crossWriters*each/3) || n == int64(crossWriters*each*2/3) {
					c.noDeadlock(t)
					if err := cluster.Restart(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	writing.Wait()
	c.noDeadlock(t)
	log, err := os.ReadFile(filepath.Join(cluster.Directory, "log"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(log), "deadlock detected") { // also just before a restart, which resets the counter
		t.Errorf("there was a deadlock:\n%s", log)
	}
	if found := c.stored(t); !maps.Equal(found, c.texts) {
		t.Errorf("%d messages must be there, and %d are", len(c.texts), len(found))
	}
	t.Logf("%d messages", len(c.texts))
}

func crossGroup(i int) string { return fmt.Sprint("~cross-", i) }
func crossUser(i int) string  { return fmt.Sprintf("user-%02d", i%crossUsers) }

// crossMember is the member j of group i. The groups have them in different orders, and each pair shares some.
func crossMember(i, j int) string { return crossUser(i*3 + j*7) }

// noDeadlock checks that Postgres has counted none.
func (c *crossTest) noDeadlock(t *testing.T) {
	t.Helper()
	for deadlocks := -1; deadlocks < 0; {
		err := c.replicas[0].DB.Read(context.WithoutCancel(t.Context()), func(ctx context.Context, q sqlx.QueryerContext) error {
			return sqlx.GetContext(ctx, q, &deadlocks, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
		})
		if err == nil && deadlocks > 0 {
			t.Errorf("Postgres has found %d deadlocks", deadlocks)
		}
	}
}

// write makes one change, and returns the writer's own messages.
func (c *crossTest) write(t *testing.T, random *rand.Rand, mine []uuid.UUID) []uuid.UUID {
	ctx, s := context.WithoutCancel(t.Context()), c.replicas[random.IntN(len(c.replicas))]
	place := random.IntN(crossGroups)
	group, member := crossGroup(place), crossMember(place, random.IntN(crossUsers/2))
	guest := fmt.Sprint("guest-", random.IntN(6))
	what := random.IntN(100)
	if len(mine) == 0 {
		what = 0
	}
	switch {
	case what < 50:
		return append(mine, c.send(t, s, member, group))
	case what < 70:
		return append(mine, c.send(t, s, crossUser(random.IntN(crossUsers)), crossUser(random.IntN(crossUsers))))
	case what < 74:
		text, id := uuid.NewString(), mine[random.IntN(len(mine))]
		retried(t, func() (*client.EditMessageResponse, error) {
			return s.EditMessageWithResponse(ctx, id, client.EditMessageRequest{Text: &text})
		})
		c.put(id, text)
	case what < 77:
		i := random.IntN(len(mine))
		id := mine[i]
		retried(t, func() (*client.DeleteMessageResponse, error) { return s.DeleteMessageWithResponse(ctx, id) })
		c.mu.Lock()
		delete(c.texts, id)
		c.mu.Unlock()
		return slices.Delete(mine, i, i+1)
	case what < 85:
		id := mine[random.IntN(len(mine))]
		retried(t, func() (*client.SetReadMarkerResponse, error) {
			return s.SetReadMarkerWithResponse(ctx, member, group, client.SetReadMarkerRequest{MessageID: id})
		}, http.StatusUnprocessableEntity) // it may be of another conversation
	case what < 91:
		users := client.AddGroupMembersRequest{Users: []string{guest, fmt.Sprint("guest-", random.IntN(6)+10)}}
		retried(t, func() (*client.AddGroupMembersResponse, error) {
			return s.AddGroupMembersWithResponse(ctx, group, users)
		})
	case what < 95:
		retried(t, func() (*client.RemoveGroupMemberResponse, error) {
			return s.RemoveGroupMemberWithResponse(ctx, group, guest)
		}, http.StatusNotFound)
	case what < 97:
		role := client.SetGroupMemberRequest{Role: client.RoleOwner}
		retried(t, func() (*client.SetGroupMemberResponse, error) {
			return s.SetGroupMemberWithResponse(ctx, group, member, role)
		})
	case what < 99:
		edit := client.UpdateGroupRequest{Name: new(uuid.NewString())}
		retried(t, func() (*client.UpdateGroupResponse, error) { return s.UpdateGroupWithResponse(ctx, group, edit) })
	default:
		retried(t, func() (*client.EraseUserResponse, error) { return s.EraseUserWithResponse(ctx, guest) })
	}
	return mine
}

// send sends a message, and returns its id.
func (c *crossTest) send(t *testing.T, s *apitest.Server, sender, recipient string) uuid.UUID {
	key := uuid.NewString()
	sent := retried(t, func() (*client.SendMessageResponse, error) {
		return s.SendMessageWithResponse(context.WithoutCancel(t.Context()), &client.SendMessageParams{IdempotencyKey: &key},
			client.SendMessageRequest{Sender: sender, Recipient: recipient, Text: key})
	})
	if sent.JSON201 == nil {
		return uuid.Nil
	}
	c.put(sent.JSON201.ID, key)
	return sent.JSON201.ID
}

func (c *crossTest) put(id uuid.UUID, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.texts[id] = text
}

// stored reads all messages.
func (c *crossTest) stored(t *testing.T) map[uuid.UUID]string {
	texts := map[uuid.UUID]string{}
	for page := range walk(t, c.replicas[0], client.ListMessagesParams{Limit: new(int32(100))}) {
		for _, m := range page.Messages {
			if texts[m.ID] != "" {
				t.Errorf("%s is there twice", m.ID)
			}
			texts[m.ID] = m.Text
		}
	}
	return texts
}
