package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/message-service/message-service/api/messageservice"
	"github.com/message-service/message-service/gen/client"
)

type sendCommand struct {
	From     string     `required:"" placeholder:"USER" help:"The sender."`
	To       string     `required:"" placeholder:"ADDRESS" help:"The recipient: a user, or a group by its address, quoted for the shell, such as '~team'."`
	ReplyTo  *uuid.UUID `placeholder:"ID" help:"The message it replies to."`
	Metadata jsonObject `placeholder:"JSON" help:"Your own data, kept with the message: an object, such as '{\"order\": 17}'."`
	Text     string     `arg:"" help:"The text; - reads it from standard input, without a newline at the end."`

	serverFlags
}

// Help is shown by --help.
func (sendCommand) Help() string {
	return `Prints the message as it was stored, as one line of JSON. A request that fails is retried, and the message is stored only once.

  message-service send --from alice --to bob "Lunch at noon?"
  message-service send --from alice --to '~team' "Lunch at noon, all of you?"
  date | message-service send --from alice --to bob -`
}

// jsonObject is a JSON object whose members keep their original text.
type jsonObject map[string]any

// UnmarshalText parses a JSON object.
func (o *jsonObject) UnmarshalText(text []byte) error {
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil || members == nil {
		return errors.New(`must be a JSON object, such as {"order": 17}`)
	}
	*o = jsonObject{}
	for name, value := range members {
		(*o)[name] = value
	}
	return nil
}

// maxInputBytes is more than a server accepts, so that it refuses a text truncated there.
const maxInputBytes = 1 << 20

// Run sends a message.
func (c sendCommand) Run(ctx context.Context, std streams) error {
	if c.Text == "-" {
		input, err := io.ReadAll(io.LimitReader(interruptible(ctx, os.Stdin.Read), maxInputBytes))
		if err != nil {
			return interrupted(ctx, err)
		}
		c.Text = strings.TrimSuffix(string(input), "\n")
	}
	if !utf8.ValidString(c.Text) { // the JSON encoder would replace invalid bytes
		return errors.New("the text is not UTF-8")
	}
	api, err := c.client()
	if err != nil {
		return err
	}
	response, err := api.SendMessage(ctx,
		&client.SendMessageParams{IdempotencyKey: new(uuid.NewString())},
		client.SendMessageRequest{Sender: c.From, Recipient: c.To, Text: c.Text, ReplyTo: c.ReplyTo, Metadata: client.Metadata(c.Metadata)})
	if err != nil {
		return interrupted(ctx, withAdvice(err))
	}
	defer response.Body.Close() //nolint:errcheck // it is read to its end, or there is another error
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return interrupted(ctx, err)
	}
	// The response is printed unchanged: metadata may have numbers too large for Go's types.
	if _, err := messageservice.Check(&client.SendMessageResponse{Body: body, HTTPResponse: response}, nil); err != nil {
		return withAdvice(err)
	}
	return writeLine(std.out, json.RawMessage(body))
}
