package messaging

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/roster"
)

// selectMessagesOf returns the messages that a user sent or received, after an id,
// the oldest first. Messages to oneself are selected twice, so the page may be short, and the
// next one empty: excluding them among the sent ones would scan all of them.
func selectMessagesOf(ctx context.Context, q sqlx.QueryerContext, e engine, user string, after ID, limit int) (Page, error) {
	role := func(column string) string {
		return fmt.Sprintf("SELECT %s FROM messages WHERE %s AND id > $2 AND deleted = false", messages.Columns(), inMailbox(column, "$1"))
	}
	return selectPage(ctx, q, limit, e.merged(role("recipient"), role("sender"), "ORDER BY id LIMIT $3"), user, after, limit+1)
}

// selectSentToGroups returns the messages that a user sent to groups, after an id, the oldest first. Those of a deleted group
// are passed over until they are erased: a portion looks at no more than all that the user has sent to groups.
func selectSentToGroups(ctx context.Context, q sqlx.QueryerContext, user string, after ID, limit int) (Page, error) {
	return selectPage(ctx, q, limit, `
		SELECT `+messages.Columns()+` FROM messages
		WHERE sender = $1 AND recipient >= '~' AND id > $2 AND deleted = false AND `+inLiveGroup+` ORDER BY id LIMIT $3`, user, after, limit+1)
}

// selectMemberships returns a user's memberships of the groups whose addresses are greater than after.
func selectMemberships(ctx context.Context, q sqlx.QueryerContext, user, after string, limit int) ([]roster.Membership, error) {
	memberships, err := roster.MembershipTable.Select(ctx, q, `
		SELECT `+roster.MembershipTable.Columns()+` FROM memberships
		WHERE user_id = $1 AND group_id > $2 AND state = 'active' ORDER BY group_id LIMIT $3`, user, after, limit)
	if err != nil {
		return nil, fmt.Errorf("select memberships: %w", err)
	}
	return memberships, nil
}

// selectSettings returns what a user has set for conversations with the users whose ids are greater than after, or has not.
func selectSettings(ctx context.Context, q sqlx.QueryerContext, owner, after string, limit int) ([]ConversationSettings, error) {
	settings, err := Settings.Select(ctx, q, `
		SELECT `+Settings.Columns()+` FROM conversations WHERE owner = $1 AND peer > $2 ORDER BY peer LIMIT $3`, owner, after, limit)
	if err != nil {
		return nil, fmt.Errorf("select settings of conversations: %w", err)
	}
	return settings, nil
}

// selectReadMarkers returns a user's markers in conversations with the peers whose ids are greater
// than after.
func selectReadMarkers(ctx context.Context, q sqlx.QueryerContext, owner, after string, limit int) ([]ReadMarker, error) {
	markers, err := ReadMarkers.Select(ctx, q, `
		SELECT `+ReadMarkers.Columns()+` FROM read_markers WHERE owner = $1 AND peer > $2 ORDER BY peer LIMIT $3`, owner, after, limit)
	if err != nil {
		return nil, fmt.Errorf("select read markers: %w", err)
	}
	return markers, nil
}
