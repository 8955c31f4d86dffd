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
	// After is the cursor of the last change you have dealt with; nil is now, and the
	// zero UUID the beginning.
	After *uuid.UUID

	// Ready is called when a connection begins to follow, with the cursor it follows
	// from. Who starts from now finds in the first one where that was: keep it like
	// the cursor of a change, until there is a change.
	Ready func(cursor uuid.UUID)

	// Lost is called when a connection is lost or cannot be made, with the reason and
	// how long it takes until the next attempt.
	Lost func(err error, wait time.Duration)
}

// Follow yields what changes for a user, in the order of the feed and as it is stored,
// for as long as ctx lasts. It misses nothing and yields nothing twice: when a
// connection is lost, or silent for too long, it makes another and goes on behind the
// last change. It waits before that for as long as the service asks for, and while it
// fails for longer each time, up to about 30 seconds.
//
// The last pair has an error: that of ctx, or why there is no use in trying again, such
// as a [*ProblemError] of the type [CursorAhead]. Leaving the loop closes the
// connection.
//
// Keep the cursor of each change when you have dealt with it, to go on there when your
// program starts again. Numbers in metadata are of type [json.Number], which holds each
// that the service accepts.
func Follow(ctx context.Context, api client.ClientInterface, user string, options *FollowOptions) iter.Seq2[client.Change, error] {
	return follow(ctx, api, user, options, pace{shortest: time.Second, longest: 30 * time.Second, silence: 45 * time.Second})
}

// pace is how a follower uses its time.
type pace struct {
	shortest, longest time.Duration // from one connection to the next
	silence           time.Duration // after which a connection is dead: three times that of one that lives
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

// follower follows one feed, by one connection after the other.
type follower struct {
	api     client.ClientInterface
	user    string
	options FollowOptions
	pace    pace

	cursor   *uuid.UUID    // of the last event
	retry    time.Duration // what the stream asks to wait before the next connection
	failures int           // since the last event
}

func (f *follower) run(ctx context.Context, yield func(client.Change, error) bool) {
	for ctx.Err() == nil {
		wait, err := f.connect(ctx, yield)
		switch {
		case err == nil:
			return // the loop was left
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

// connect follows by one connection. It returns why that ended, without an error if
// the loop was left, and how long to wait before the next one, or 0 if it would end
// the same way.
//
// The library has a client that connects again by itself, but not by the generated
// client, and not after a 503 or as Retry-After says.
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

// refusal makes an error of an answer that is no stream.
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

// maxEventBytes is much more than a change takes.
const maxEventBytes = 4 << 20

// read yields the changes of a stream, and returns why it ended and whether another one
// may go on from there. Without an error the loop was left.
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
		case event.Data != "": // one without data is none, but for its cursor
			change, err := readChange(event.Data)
			if err != nil {
				return false, fmt.Errorf("the change %s: %w", cursor, err)
			}
			if !yield(change, nil) {
				return false, nil
			}
		}
	}
	return true, errors.New("the stream has ended")
}

// readChange leaves numbers in metadata as they are: the service accepts larger ones than
// a float64 holds, and nobody should be able to stop a follower by sending one.
func readChange(data string) (change client.Change, err error) {
	decoder := json.NewDecoder(strings.NewReader(data))
	decoder.UseNumber()
	err = decoder.Decode(&change)
	return change, err
}
