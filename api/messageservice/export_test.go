package messageservice

import (
	"context"
	"iter"
	"time"

	"github.com/message-service/message-service/gen/client"
)

// FollowPaced is [Follow] with shorter waits, for tests.
func FollowPaced(
	ctx context.Context, api client.ClientInterface, user string, options *FollowOptions, shortest, longest, silence time.Duration,
) iter.Seq2[client.Change, error] {
	return follow(ctx, api, user, options, pace{shortest, longest, silence})
}
