package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// killErasure is a round of TestKillErasure: a user is erased, who is in groups.
type killErasure struct {
	*apitest.Process
	t      *testing.T
	user   string
	groups []string
}

// TestKillErasure kills the server while it erases a user of several groups, whenever a random number of what
// concerns the user is left. The next server must refuse messages to the user until the erasure is repeated, or else it
// was done. In the end nothing of the user may be left, and each group has one owner and the members that it says.
func TestKillErasure(t *testing.T) {
	rounds := dbtest.Rounds(t, 2, 3, 10)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		random := rand.New(rand.NewPCG(seed, 0))
		url := dbtest.NewURL(t, engine)
		process := startProcess(t, url)
		for round := range rounds {
			k := &killErasure{Process: process, t: t, user: fmt.Sprint("user-", round)}
			k.fill(round)
			all := len(k.Export(t, k.user))
			k.killAt(random.IntN(all))
			process = startProcess(t, url)
			k.Process = process
			k.check(all)
		}
	})
}

// fill makes groups of the user and three others, with messages of the user: some that they own, one where they are
// alone, and one that they have left; and messages to another user.
func (k *killErasure) fill(round int) {
	k.t.Helper()
	for i := range 6 {
		owner, group := k.user, fmt.Sprintf("~group-%d-%d", round, i)
		if i%2 == 0 {
			owner = "ann"
		}
		apitest.Call(k.CreateGroupWithResponse(k.t.Context(), group, client.CreateGroupRequest{Name: "x", Owner: &owner})).Must(k.t, http.StatusCreated)
		if i > 1 {
			apitest.Call(k.AddGroupMembersWithResponse(k.t.Context(), group, client.AddGroupMembersRequest{Users: []string{"ann", "bob", "cleo", k.user}})).Must(k.t, http.StatusOK)
		} else if i == 0 {
			apitest.Call(k.AddGroupMembersWithResponse(k.t.Context(), group, client.AddGroupMembersRequest{Users: []string{k.user}})).Must(k.t, http.StatusOK)
		}
		k.groups = append(k.groups, group)
	}
	var sending sync.WaitGroup
	for i, recipient := range append(k.groups, "dan") {
		sending.Go(func() {
			for range 30 + 100*(i%2) {
				k.Send(k.t, k.user, recipient, "x")
			}
		})
	}
	sending.Wait()
	apitest.Call(k.RemoveGroupMemberWithResponse(k.t.Context(), k.groups[0], k.user)).Must(k.t, http.StatusNoContent)
}

// killAt kills the server during an erasure, once at most this number of the user's records is left.
func (k *killErasure) killAt(left int) {
	k.t.Helper()
	erasing, done := make(chan struct{}), k.Process
	go func() {
		defer close(erasing)
		_, _ = done.EraseUserWithResponse(context.WithoutCancel(k.t.Context()), k.user) // it is killed
	}()
	for len(k.Export(k.t, k.user)) > left {
		continue
	}
	k.Kill()
	<-erasing
}

// check checks what an erasure has left that was killed, repeats it, and checks that it is complete.
func (k *killErasure) check(all int) {
	k.t.Helper()
	left := len(k.Export(k.t, k.user))
	k.t.Logf("killed when %d of %d records were left", left, all)
	request := client.SendMessageRequest{Sender: "dan", Recipient: k.user, Text: "x"}
	answer := apitest.Call(k.SendMessageWithResponse(k.t.Context(), nil, request)).Must(k.t, http.StatusCreated, http.StatusConflict)
	if answer.JSON201 != nil && left > 0 {
		k.t.Errorf("a message is stored while %d records are left", left)
	}
	k.Erase(k.t, k.user)
	if records := k.Export(k.t, k.user); len(records) > 0 {
		k.t.Errorf("%d records are left, such as %+v", len(records), records[0])
	}
	for i, group := range k.groups {
		found := apitest.Call(k.GetGroupWithResponse(k.t.Context(), group)).Must(k.t, http.StatusOK, http.StatusNotFound).JSON200
		if found == nil {
			if i != 1 {
				k.t.Errorf("%s is gone", group)
			}
			continue
		}
		members := apitest.Call(k.ListGroupMembersWithResponse(k.t.Context(), group, nil)).Must(k.t, http.StatusOK).JSON200.Members
		owners := 0
		for _, m := range members {
			if m.User == k.user {
				k.t.Errorf("%s is still in %s", k.user, group)
			}
			if m.Role == client.RoleOwner {
				owners++
			}
		}
		if owners != 1 || len(members) != int(found.MemberCount) {
			k.t.Errorf("%s has %d owners, and the members %+v, and says %d", group, owners, members, found.MemberCount)
		}
		if messages := k.List(k.t, client.ListMessagesParams{Recipient: &group, Sender: &k.user}).Messages; len(messages) > 0 {
			k.t.Errorf("%s has %d messages left", group, len(messages))
		}
	}
	k.Send(k.t, "dan", k.user, "welcome")
}
