package messaging

import (
	"context"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/roster"
)

// mailboxesMax is how many mailboxes a batch of sends to several groups may change: nobody else can write to
// them meanwhile.
const mailboxesMax = 5000

// groupsOf are the addresses of the groups to which a batch is sent.
func groupsOf(batch []*send) []string {
	groups := make([]string, len(batch))
	for i, s := range batch {
		groups[i] = s.draft.Recipient
	}
	slices.Sort(groups)
	return slices.Compact(groups)
}

// ofKnown splits a batch: the sends to locked groups whose members were read, or to none, and the others.
func ofKnown(batch []*send, locked map[string]*roster.Locked) (known, unread []*send) {
	for _, s := range batch {
		if g := locked[s.draft.Recipient]; g == nil || g.Members != nil {
			known = append(known, s)
		} else {
			unread = append(unread, s)
		}
	}
	return known, unread
}

// fitting splits a batch: the sends to the first groups whose mailboxes one transaction may change, and the others.
func fitting(batch []*send, usersOf func(group string) []string) (now, later []*send) {
	sum := 0
	for _, group := range groupsOf(batch) {
		sum += len(usersOf(group))
	}
	if sum <= mailboxesMax { // the common case, even if users in several groups are counted repeatedly
		return batch, nil
	}
	mailboxes, fits := make(map[string]bool, mailboxesMax), map[string]bool{}
	for _, s := range batch {
		group := s.draft.Recipient
		if _, known := fits[group]; !known {
			fits[group] = addUpTo(mailboxesMax, mailboxes, usersOf(group))
		}
		if fits[group] {
			now = append(now, s)
		} else {
			later = append(later, s)
		}
	}
	return now, later
}

// addUpTo adds users to a set unless it would have more than most, and reports whether it did. An empty set
// takes any number.
func addUpTo(most int, set map[string]bool, users []string) bool {
	n := len(set)
	for _, user := range users {
		if !set[user] {
			n++
		}
	}
	if n > most && len(set) > 0 {
		return false
	}
	for _, user := range users {
		set[user] = true
	}
	return true
}

// refuseToGroups sets the outcome of sends whose groups are locked, if they break a rule or their messages are
// stored already, and returns the others. Nobody else can send to these groups meanwhile, nor join or leave
// them, so it need not lock a mailbox.
func refuseToGroups(ctx context.Context, tx *sqlx.Tx, batch []*send, locked map[string]*roster.Locked) (accepted []*send, err error) {
	if batch, err = settleTried(ctx, tx, batch); err != nil {
		return nil, err
	}
	var ofMembers []*send
	var replies []*StoredMessage
	for _, s := range batch {
		s.outcome = outcome{} // of an earlier attempt
		if _, is := memberOf(locked[s.draft.Recipient], s.draft.Sender); !is {
			s.err = noSuchGroup("recipient")
			continue
		}
		ofMembers = append(ofMembers, s)
		if s.draft.ReplyTo != nil {
			replies = append(replies, &s.draft)
		}
	}
	if _, err := replay(ctx, tx, ofMembers); err != nil {
		return nil, err
	}
	repliedTo, err := selectRepliedTo(ctx, tx, replies)
	if err != nil {
		return nil, err
	}
	for _, s := range ofMembers {
		entry, _ := memberOf(locked[s.draft.Recipient], s.draft.Sender)
		switch {
		case s.message != nil || s.err != nil:
		case s.draft.ReplyTo != nil && !repliedTo[*s.draft.ReplyTo].isIn(s.draft.Recipient, entry.VisibleFrom):
			s.err = invalid("replyTo", "must be a message of the group that the sender can see")
		default:
			accepted = append(accepted, s)
		}
	}
	return accepted, nil
}

// ofCached splits a batch: the sends to groups whose members are cached, and include the senders, unless one of them needs
// the rules, and the sends to other groups.
func ofCached(batch []*send, rosters *roster.Rosters) (known map[string]roster.Snapshot, fast, rest []*send) {
	known = map[string]roster.Snapshot{}
	for _, group := range groupsOf(batch) {
		if v, is := rosters.Cached(group); is {
			known[group] = v
		}
	}
	for _, s := range batch {
		v, is := known[s.draft.Recipient]
		if is {
			_, is = v.Members.Get(s.draft.Sender)
		}
		if !is || s.needsRules() {
			delete(known, s.draft.Recipient)
		}
	}
	for _, s := range batch {
		if _, is := known[s.draft.Recipient]; is {
			fast = append(fast, s)
		} else {
			rest = append(rest, s)
		}
	}
	return known, fast, rest
}

// usersOf are the members of a group, which is nil if there is none.
func usersOf(g *roster.Locked) []string {
	if g == nil {
		return nil
	}
	return g.Members.Users()
}

// memberOf returns what is known of a user, if they are a member of a group, which is nil if there is none.
func memberOf(g *roster.Locked, user string) (entry roster.Entry, is bool) {
	if g == nil {
		return roster.Entry{}, false
	}
	return g.Members.Get(user)
}

// changesOfGroups makes a change of each group from the sends to it.
func changesOfGroups(batch []*send, usersOf func(group string) []string) (changes []*mailbox.Change) {
	byGroup := map[string]*mailbox.Change{}
	for _, s := range batch {
		address := s.draft.Recipient
		c := byGroup[address]
		if c == nil {
			c = &mailbox.Change{Owners: append([]string{address}, usersOf(address)...), Group: true}
			byGroup[address], changes = c, append(changes, c)
		}
		s.change, s.place = c, c.N
		c.N++
	}
	return changes
}

// storeToGroups is store for sends to groups that refuseToGroups has accepted.
func storeToGroups(ctx context.Context, tx *sqlx.Tx, batch []*send) error {
	var open []*send
	for _, s := range batch {
		s.draft.ID = s.change.IDs[s.place]
		if slices.Contains(s.change.Closed, s.draft.Sender) {
			s.err = userClosed()
		} else {
			open = append(open, s)
		}
	}
	ids, err := InsertMessages(ctx, tx, draftsOf(open))
	if err != nil {
		return err
	}
	rest := settle(open, ids) // with a key of another send of this batch
	last := map[string]ID{}
	for _, s := range open {
		if s.message != nil {
			last[s.draft.Recipient] = s.draft.ID
		}
	}
	if err := roster.SetLastMessages(ctx, tx, last); err != nil {
		return err
	}
	return replayAll(ctx, tx, rest)
}
