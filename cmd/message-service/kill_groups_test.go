package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/api/messageservice"
	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

const (
	killSenders = 32
	killDeleted = "~deleted" // a group that is deleted in the middle of a test
)

// killRecipients get the same messages. The senders and bob are in the groups.
var killRecipients = []string{"bob", "~one", "~two"}

func killSender(i int) string { return fmt.Sprintf("sender-%02d", i) }

// retry repeats a request to the newest process until it is answered and not with 503, and returns how often.
func retry[A messageservice.Answer](k *killTest, request func(*apitest.Process) (A, error)) (answer A, repeats int) {
	for ; ; repeats++ {
		answer, err := request(k.serving.Load())
		if err == nil && answer.StatusCode() != http.StatusServiceUnavailable {
			return answer, repeats
		}
		if k.t.Failed() {
			k.t.FailNow()
		}
		<-time.After(5 * time.Millisecond) // the next process may not be there yet
	}
}

func (k *killTest) createGroups() {
	var senders []string
	for i := range killSenders {
		senders = append(senders, killSender(i))
	}
	for _, group := range []string{"~one", "~two", killDeleted} {
		k.serving.Load().NewGroup(k.t, group, "bob", senders...)
	}
}

// changeMembers adds guests to groups and removes them.
func (k *killTest) changeMembers() {
	ctx := context.WithoutCancel(k.t.Context())
	for i := 0; k.writing.Err() == nil && !k.t.Failed(); i++ {
		group, guest := killRecipients[1+i%2], fmt.Sprint("guest-", i/2%5)
		place := group + " " + guest
		k.guests[place] = !k.guests[place]
		if k.guests[place] {
			added, _ := retry(k, func(p *apitest.Process) (*client.AddGroupMembersResponse, error) {
				return p.AddGroupMembersWithResponse(ctx, group, client.AddGroupMembersRequest{Users: []string{guest}})
			})
			if added.StatusCode() != http.StatusOK {
				k.t.Errorf("add %s to %s: %s", guest, group, added.Body)
			}
			continue
		}
		removed, repeats := retry(k, func(p *apitest.Process) (*client.RemoveGroupMemberResponse, error) {
			return p.RemoveGroupMemberWithResponse(ctx, group, guest)
		})
		k.ended(removed, repeats)
	}
}

// deleteGroup deletes the group while messages are sent to it.
func (k *killTest) deleteGroup() {
	k.deleting.Store(true)
	answer, repeats := retry(k, func(p *apitest.Process) (*client.DeleteGroupResponse, error) {
		return p.DeleteGroupWithResponse(context.WithoutCancel(k.t.Context()), killDeleted)
	})
	k.ended(answer, repeats)
	k.deleted.Store(true)
}

// ended checks the answer to a request to end something. One that was repeated may find nothing to end.
func (k *killTest) ended(answer messageservice.Answer, repeats int) {
	k.t.Helper()
	if status := answer.StatusCode(); status != http.StatusNoContent && (status != http.StatusNotFound || repeats == 0) {
		k.t.Errorf("answered %s: %s", answer.Status(), answer.GetBody())
	}
}

// checkGroups checks who is in the groups, and that nothing is left of the one that was deleted.
func (k *killTest) checkGroups(url string) {
	for _, group := range killRecipients[1:] {
		want := []string{"bob"}
		for i := range killSenders {
			want = append(want, killSender(i))
		}
		for place, is := range k.guests {
			if of, guest, _ := strings.Cut(place, " "); is && of == group {
				want = append(want, guest)
			}
		}
		slices.Sort(want)
		var got []string
		for _, member := range k.serving.Load().Members(k.t, group) {
			got = append(got, member.User)
		}
		if !slices.Equal(got, want) {
			k.t.Errorf("in %s are %v, want %v", group, got, want)
		}
		if count := k.serving.Load().Group(k.t, group).MemberCount; int(count) != len(want) {
			k.t.Errorf("%s counts %d members, and has %d", group, count, len(want))
		}
	}
	k.awaitErased(dbtest.Connect(k.t, url, db.Options{}))
}

// awaitErased waits until nothing is left of the group that was deleted.
func (k *killTest) awaitErased(database *db.DB) {
	for began, left := time.Now(), -1; left != 0; <-time.After(time.Millisecond) {
		err := database.Read(k.t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
			return sqlx.GetContext(ctx, q, &left, `
				SELECT (SELECT count(*) FROM messages WHERE recipient = $1) + (SELECT count(*) FROM members WHERE group_id = $1) +
				       (SELECT count(*) FROM read_markers WHERE peer = $1) + (SELECT count(*) FROM mailboxes WHERE user_id = $1)`, killDeleted)
		})
		if err != nil || time.Since(began) > 2*time.Minute { // a server looks every minute for what another one has left
			k.t.Fatalf("%d rows are left of a deleted group: %v", left, err)
		}
	}
}
