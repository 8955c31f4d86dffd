package messaging

import (
	"testing"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestMarkersEndWithGroup deletes a group before anything of it is erased: the feed of a member who has read its messages
// has nothing of it but its end.
func TestMarkersEndWithGroup(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		f := newInGroups(t, engine)
		g := newTeam(t, f.Service, "~team", "ann", "bob")
		sent := f.mustSend("ann", "~team")
		if _, err := f.SetReadMarker(t.Context(), AsUser("bob"), "bob", "~team", sent.ID); err != nil {
			t.Fatal(err)
		}
		must(t, f.DeleteGroup(t.Context(), AsUser("ann"), g.address))
		page, err := f.ListChanges(t.Context(), AsUser("bob"), "bob", &ID{}, 10, PageMaxBytes)
		if err != nil || len(page.Changes) != 1 || page.Changes[0].Group == nil || !page.Changes[0].Group.Deleted {
			t.Errorf("the feed has %+v: %v", page.Changes, err)
		}
	})
}
