package apitest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/tmaxmax/go-sse"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/contract"
)

const eventStream = "text/event-stream"

// Stream is a stream of changes, read event by event.
type Stream struct {
	// Start is the cursor in the first event.
	Start uuid.UUID

	t      testing.TB
	cancel context.CancelFunc
	next   func() (sse.Event, error, bool)
	stop   func()
}

// Follow opens a stream of a user's changes after a cursor, or from now on, and reads its
// first event. It fails if the stream is refused or ends before that; the end of ctx closes
// the stream.
func (c *Client) Follow(ctx context.Context, t testing.TB, user string, after *uuid.UUID) (*Stream, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	response, err := c.ListChanges(ctx, user, &client.ListChangesParams{LastEventID: after}, func(_ context.Context, r *http.Request) error {
		r.Header.Set("Accept", eventStream)
		return nil
	})
	if err != nil {
		cancel()
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		defer cancel()
		defer response.Body.Close() //nolint:errcheck // it was read
		body, err := io.ReadAll(response.Body)
		return nil, errors.Join(fmt.Errorf("answered %s: %s", response.Status, body), err)
	}
	s := &Stream{t: t, cancel: cancel}
	s.next, s.stop = iter.Pull2(sse.Read(response.Body, &sse.ReadConfig{MaxEventSize: 1 << 20}))
	ready, err := s.event()
	if err != nil {
		s.Close()
		return nil, err
	}
	var data struct{ Cursor uuid.UUID }
	if err := json.Unmarshal([]byte(ready.Data), &data); err != nil || ready.Type != "ready" || ready.LastEventID != data.Cursor.String() {
		t.Errorf("the first event is %+v: %v", ready, err)
	}
	if after != nil && data.Cursor != *after {
		t.Errorf("asked to follow from %s, and it starts from %s", after, data.Cursor)
	}
	s.Start = data.Cursor
	return s, nil
}

// Close closes the stream.
func (s *Stream) Close() {
	s.cancel()
	s.stop()
}

func (s *Stream) event() (sse.Event, error) {
	event, err, ok := s.next()
	if err == nil && !ok {
		err = io.EOF
	}
	return event, err
}

// Next waits for the next change and validates it against the contract. It passes over who is typing.
func (s *Stream) Next() (client.Change, error) {
	event, err := s.event()
	for err == nil && event.Type == "typing" {
		s.readAs("Typing", event, &map[string]any{})
		event, err = s.event()
	}
	if err != nil {
		return client.Change{}, err
	}
	var change client.Change
	s.readAs("Change", event, &change)
	if event.LastEventID != change.Cursor.String() || event.Type != string(change.Type) {
		s.t.Errorf("the event contradicts its data: %+v", event)
	}
	return change, nil
}

// NextTyping waits until somebody is typing, and returns the data of the event, and its last cursor. It passes over changes.
func (s *Stream) NextTyping() (data map[string]any, cursor string, err error) {
	for {
		event, err := s.event()
		if err != nil {
			return nil, "", err
		}
		if event.Type == "typing" {
			s.readAs("Typing", event, &data)
			return data, event.LastEventID, nil
		}
	}
}

// readAs reads the data of an event, and validates it against a schema of the contract.
func (s *Stream) readAs(schema string, event sse.Event, to any) {
	var value any
	if err := errors.Join(json.Unmarshal([]byte(event.Data), &value), json.Unmarshal([]byte(event.Data), to)); err != nil {
		s.t.Errorf("the event is no JSON: %v\n%+v", err, event)
	}
	if err := contract.Document().Components.Schemas[schema].Value.VisitJSON(value, answerFormats...); err != nil {
		s.t.Errorf("the event breaks the contract: %v\n%+v", err, event)
	}
}
