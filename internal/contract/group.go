package contract

import (
	"strconv"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/roster"
)

// AppendGroup appends the JSON of a group to b.
func AppendGroup(b []byte, g *roster.Group) []byte {
	b = AppendText(append(b, `{"address":`...), g.Address)
	b = AppendText(append(b, `,"name":`...), g.Name)
	if g.Metadata != "" {
		b = append(append(b, `,"metadata":`...), g.Metadata...)
	}
	b = AppendText(append(b, `,"history":`...), string(g.History))
	b = strconv.AppendInt(append(b, `,"memberCount":`...), int64(g.MemberCount), 10)
	b = appendTime(append(b, `,"createdAt":`...), g.Created)
	if g.Changed != g.Created {
		name := `,"updatedAt":`
		if g.Deleted {
			name = `,"deletedAt":`
		}
		b = appendTime(append(b, name...), g.Changed)
	}
	return append(b, '}')
}

// AppendMembership appends the JSON of a membership to b.
func AppendMembership(b []byte, m *roster.Membership) []byte {
	b = AppendText(append(b, `{"group":`...), m.Group)
	b = AppendText(append(b, `,"user":`...), m.User)
	b = AppendText(append(b, `,"role":`...), string(m.Role))
	b = AppendText(append(b, `,"state":`...), string(m.State))
	return append(appendTime(append(b, `,"since":`...), m.Since), '}')
}

// ToGroup is the group that an export has, with the ids of its creation and of its latest change.
func ToGroup(g *server.Group, created, changed server.MessageID) (roster.Group, error) {
	metadata, err := compact(g.Metadata)
	return roster.Group{
		Address:     g.Address,
		Name:        g.Name,
		Metadata:    metadata,
		History:     roster.History(g.History),
		MemberCount: int(g.MemberCount),
		Created:     messaging.ID(created),
		Changed:     messaging.ID(changed),
		Deleted:     g.DeletedAt != nil,
	}, err
}

// ToMembership is the membership that an export has, with the ids of its beginning and of its latest change.
func ToMembership(m *server.Membership, since, changed server.MessageID) roster.Membership {
	return roster.Membership{
		Group:   m.Group,
		User:    m.User,
		Role:    roster.Role(m.Role),
		State:   roster.State(m.State),
		Since:   messaging.ID(since),
		Changed: messaging.ID(changed),
	}
}

// NewGroup is the group that a request asks to create.
func NewGroup(address string, body *server.CreateGroupRequest) (messaging.NewGroup, error) {
	metadata, err := compact(body.Metadata)
	return messaging.NewGroup{
		Address:  address,
		Name:     body.Name,
		Metadata: metadata,
		History:  roster.History(Value(body.History)),
		Owner:    Value(body.Owner),
	}, err
}

// GroupEdit is what a request asks to replace in a group.
func GroupEdit(body *server.UpdateGroupRequest) (messaging.GroupEdit, error) {
	metadata, err := editMetadata(body.Metadata)
	return messaging.GroupEdit{Name: body.Name, Metadata: metadata, History: (*roster.History)(body.History)}, err
}

// AppendMembershipPage appends the JSON of a page of members to b.
func AppendMembershipPage(b []byte, page messaging.MemberPage) []byte {
	b = appendArray(append(b, `{"members":`...), page.Members, AppendMembership)
	if page.HasMore {
		b = AppendText(append(b, `,"next":`...), page.Next)
	}
	return appendHasMore(b, page.HasMore)
}

// AppendAddedMembers appends to b the JSON of users who were to be added to a group, each with what became of that.
func AppendAddedMembers(b []byte, added *[]messaging.AddedMember) []byte {
	return append(appendArray(append(b, `{"members":`...), *added, appendAddedMember), '}')
}

func appendAddedMember(b []byte, m *messaging.AddedMember) []byte {
	b = AppendText(append(b, `{"user":`...), m.User)
	return append(AppendText(append(b, `,"outcome":`...), string(m.Outcome)), '}')
}

// AppendReaders appends the JSON of the readers of a message to b.
func AppendReaders(b []byte, r *messaging.Readers) []byte {
	b = appendArray(append(b, `{"users":`...), r.Users, func(b []byte, user *string) []byte { return AppendText(b, *user) })
	return append(strconv.AppendInt(append(b, `,"count":`...), int64(r.Count), 10), '}')
}
