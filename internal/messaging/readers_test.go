package messaging

import (
	"fmt"
	"testing"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/roster"
)

// TestListReaders has members and others read messages, and asks who has.
func TestListReaders(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newReplicas(t, engine, 1, Options{})[0]
		g := newTeam(t, s, "~team", "ann", "bob", "cat", "dan")
		send := func(from, to string) ID {
			m, _, err := s.Send(t.Context(), AsUser(from), Draft{Sender: from, Recipient: to, Text: "x"})
			must(t, err)
			return m.ID
		}
		reads := func(user, peer string, id ID) {
			t.Helper()
			_, err := s.SetReadMarker(t.Context(), AsUser(user), user, peer, id)
			must(t, err)
		}
		expect := func(as string, id ID, want string) {
			t.Helper()
			readers, err := s.ListReaders(t.Context(), caller(as), id)
			got := fmt.Sprint(readers.Users, readers.Count)
			if err != nil {
				got = outcomeOf(err)
			}
			if got != want {
				t.Errorf("as %s: %s, want %s", as, got, want)
			}
		}
		first, second := send("ann", "~team"), send("bob", "~team")
		expect("ann", first, "[] 0")
		reads("ann", "~team", second)
		reads("bob", "~team", first)
		reads("cat", "~team", second)
		expect("dan", first, "[bob cat] 2")
		expect("service", second, "[ann cat] 2")
		expect("eve", first, "not found")
		expect("nobody", first, "not found")

		g.remove("cat", "cat")
		expect("cat", first, "not found")
		expect("ann", second, "[ann] 1")
		_, err := s.UpdateGroup(t.Context(), AsUser("ann"), "~team", GroupEdit{History: new(roster.None)})
		must(t, err)
		g.add("ann", "cat", "eve")
		third := send("ann", "~team")
		reads("cat", "~team", third)
		expect("dan", second, "[ann] 1")
		expect("dan", third, "[cat] 1")
		expect("cat", second, "not found")
		must(t, s.Delete(t.Context(), AsUser("ann"), third))
		expect("dan", third, "not found")

		many := names("m", ReadersMax+1)
		large := newTeam(t, s, "~large", append([]string{"ann"}, many...)...)
		id := send("ann", large.address)
		for _, user := range many {
			reads(user, "~large", id)
		}
		expect("ann", id, fmt.Sprint(many[:ReadersMax], ReadersMax+1))

		direct := send("ann", "bob")
		expect("ann", direct, "[] 0")
		reads("bob", "ann", direct)
		expect("ann", direct, "[bob] 1")
		expect("bob", direct, "[bob] 1")
		expect("eve", direct, "not found")
		self := send("ann", "ann")
		reads("ann", "ann", self)
		expect("ann", self, "[] 0")
		must(t, large.DeleteGroup(t.Context(), AsUser("ann"), "~large"))
		expect("ann", id, "not found")
		expect("service", id, "not found")
	})
}
