package messaging

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/mailbox"
)

// plannedGroupReads are the statements that read one group, and the indexes they must use.
var plannedGroupReads = map[string]struct {
	run     func(ctx context.Context, q sqlx.QueryerContext, e engine, w Window) error
	indexes []string
}{
	"list": {func(ctx context.Context, q sqlx.QueryerContext, e engine, w Window) error {
		return list(func(string) Query { return Query{Recipient: "~crowd"} })(ctx, q, e, "", w)
	}, []string{"messages_pkey"}},
	"list by a sender": {func(ctx context.Context, q sqlx.QueryerContext, e engine, w Window) error {
		return list(func(string) Query { return Query{Recipient: "~crowd", Sender: "user-7"} })(ctx, q, e, "", w)
	}, []string{"messages_between"}},
	"what is visible": {func(ctx context.Context, q sqlx.QueryerContext, _ engine, _ Window) error {
		_, err := selectVisible(ctx, q, AsUser("fan-7"), "~crowd")
		return err
	}, nil},
	"message":               {messageOf(AsUser("fan-7")), []string{"messages_every_id"}},
	"message for a service": {messageOf(AsService), []string{"messages_every_id"}},
	"read marker": {func(ctx context.Context, q sqlx.QueryerContext, _ engine, _ Window) error {
		_, err := selectReadMarker(ctx, q, "hub", "~crowd")
		return err
	}, nil},
}

func messageOf(caller Caller) func(context.Context, sqlx.QueryerContext, engine, Window) error {
	return func(ctx context.Context, q sqlx.QueryerContext, _ engine, _ Window) error {
		_, err := selectMessage(ctx, q, caller, mailbox.FirstIDAt(time.Now()))
		return err
	}
}
