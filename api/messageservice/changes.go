package messageservice

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/tmaxmax/go-sse"

	"github.com/message-service/message-service/gen/client"
)

// FollowOptions adjusts [Follow]. None are needed.
type FollowOptions struct {
	// After is the cursor of the last change you have processed. nil starts from now,
	// the zero UUID from the beginning.
	After *uuid.UUID

	// Ready is called when a stream begins, with the cursor it starts after. If you
	// start from now, store the first of these cursors as you store those of changes:
	// it is your position until the first change.
	Ready func(cursor uuid.UUID)

	// Lost is called when a connection is lost or cannot be made, with the reason and
	// the time until the next attempt.
	Lost func(err error, wait time.Duration)

	// Typing is called while somebody writes to the user, or in a group of theirs. That is
	// not a change: it has no cursor, and what happens while there is no connection is
	// never told. If it is nil, nobody's typing is.
	Typing func(Typing)
}

// Typing says that a user is writing a message, as far as is known until ExpiresAt.
type Typing struct {
	User      string    `json:"user"`
	Peer      string    `json:"peer"` // as the user who follows addresses it: the one who writes, or the group
	ExpiresAt time.Time `json:"expiresAt"`
}

// Follow yields the changes of a user's mailbox in the order of the feed, as they are
// stored, until ctx ends. It misses no change and yields none twice: when a connection
// is lost, or silent for 45 seconds, it reconnects and resumes after the last change.
// Before it reconnects it waits as long as the service asks for; while attempts fail,
// the wait doubles up to about 30 seconds.
//
// The last pair has an error: that of ctx, or one that another attempt would not
// change, such as a [*ProblemError] of the type [CursorAhead]. Leaving the loop closes
// the connection.
//
// Store the cursor of each change once you have processed it, to resume there when your
// program restarts. Numbers in metadata are of type [json.Number], which holds every
// number that the service accepts.
func Follow(ctx context.Context, api client.ClientInterface, user string, options *FollowOptions) iter.Seq2[client.Change, error] {
	return follow(ctx, api, user, options, pace{shortest: time.Second, longest: 30 * time.Second, silence: 45 * time.Second})
}

// pace is the timing of a follower.
type pace struct {
	shortest, longest time.Duration // backoff between connections
	silence           time.Duration // after which a connection counts as dead: three heartbeats of the service
}

func follow(ctx context.Context, api client.ClientInterface, user string, options *FollowOptions, pace pace) iter.Seq2[client.Change, error] {
	return func(yield func(client.Change, error) bool) {
		f := &follower{api: api, user: user, pace: pace}
		if options != nil {
			f.options = *options
		}
		if f.options.After != nil {
			f.cursor = new(*f.options.After)
		}
		f.run(ctx, yield)
	}
}

// follower follows one feed over successive connections.
type follower struct {
	api     client.ClientInterface
	user    string
	options FollowOptions
	pace    pace

	cursor   *uuid.UUID    // of the last event
	retry    time.Duration // the stream's last "retry" field: how long to wait before the next connection
	failures int           // since the last event
}

func (f *follower) run(ctx context.Context, yield func(client.Change, error) bool) {
	for ctx.Err() == nil {
		wait, err := f.connect(ctx, yield)
		switch {
		case err == nil:
			return // the caller left the loop
		case ctx.Err() != nil:
			continue
		case wait == 0:
			yield(client.Change{}, err)
			return
		}
		if f.options.Lost != nil {
			f.options.Lost(err, wait)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	yield(client.Change{}, ctx.Err())
}

// connect follows over one connection. It returns the reason it ended, nil if the
// caller left the loop, and how long to wait before the next connection, 0 if that
// would end the same way.
//
// go-sse has a client that reconnects by itself, but it cannot use the generated
// client, does not reconnect after a 503 and ignores Retry-After.
func (f *follower) connect(ctx context.Context, yield func(client.Change, error) bool) (wait time.Duration, err error) {
	connected, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(f.pace.silence, func() { cancel(fmt.Errorf("silent for %s", f.pace.silence)) })
	defer silence.Stop()

	response, err := f.api.ListChanges(connected, f.user, &client.ListChangesParams{After: f.cursor}, acceptStream)
	again, _ := retryablehttp.DefaultRetryPolicy(ctx, response, err) // its error is that of ctx
	if err == nil {
		defer response.Body.Close() //nolint:errcheck // it was only read
		body := &streamBody{body: response.Body, silence: silence, longest: f.pace.silence, retry: &f.retry}
		if isStream(response) {
			again, err = f.read(body, yield)
		} else {
			err = refusal(response, body)
		}
	}
	switch {
	case err == nil:
		return 0, nil
	case ctx.Err() == nil && connected.Err() != nil:
		err = context.Cause(connected)
	}
	if !again {
		return 0, err
	}
	wait = backoff(max(f.retry, f.pace.shortest), max(f.retry, f.pace.longest), f.failures, response)
	f.failures++
	return max(wait, f.pace.shortest), err
}

const eventStream = "text/event-stream"

func acceptStream(_ context.Context, request *http.Request) error {
	request.Header.Set("Accept", eventStream)
	return nil
}

func isStream(response *http.Response) bool {
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")) // empty if it cannot be parsed
	return response.StatusCode == http.StatusOK && mediaType == eventStream
}

// refusal returns the error for an answer that is not a stream.
func refusal(response *http.Response, body io.Reader) error {
	if response.StatusCode < http.StatusBadRequest {
		return fmt.Errorf("answered %s without a stream", response.Status)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	return asError(response.Status, response.Header.Get("Content-Type"), text)
}

// maxEventBytes is far above the size of any change.
const maxEventBytes = 4 << 20

// read yields the changes of a stream. It returns the reason the stream ended, nil if the
// caller left the loop, and whether another connection may resume.
func (f *follower) read(body io.Reader, yield func(client.Change, error) bool) (again bool, err error) {
	for event, err := range sse.Read(body, &sse.ReadConfig{MaxEventSize: maxEventBytes}) {
		if err != nil {
			return !errors.Is(err, bufio.ErrTooLong), err
		}
		cursor, err := uuid.Parse(event.LastEventID)
		if err != nil {
			return false, fmt.Errorf("the cursor of an event: %w", err)
		}
		f.cursor, f.failures = &cursor, 0
		switch {
		case event.Type == "ready":
			if f.options.Ready != nil {
				f.options.Ready(cursor)
			}
		case event.Type == "typing":
			if err := f.takeTyping(event.Data); err != nil {
				return false, err
			}
		case event.Data != "": // an event without data only moves the cursor
			change, err := readChange(event.Data)
			if err != nil {
				return false, fmt.Errorf("the change %s: %w", cursor, err)
			}
			if change.Cursor != uuid.Nil && !yield(change, nil) { // without a cursor it is no change
				return false, nil
			}
		}
	}
	return true, errors.New("the stream has ended")
}

func (f *follower) takeTyping(data string) error {
	var typing Typing
	if err := json.Unmarshal([]byte(data), &typing); err != nil {
		return fmt.Errorf("who is typing: %w", err)
	}
	if f.options.Typing != nil {
		f.options.Typing(typing)
	}
	return nil
}

// readChange decodes numbers in metadata as json.Number: the service accepts numbers
// beyond float64, and one such message must not stop every follower of its recipient.
func readChange(data string) (change client.Change, err error) {
	decoder := json.NewDecoder(strings.NewReader(data))
	decoder.UseNumber()
	err = decoder.Decode(&change)
	return change, err
}
