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
	From     string     `required:"" placeholder:"USER" help:"Who sends it."`
	To       string     `required:"" placeholder:"USER" help:"Who receives it."`
	ReplyTo  *uuid.UUID `placeholder:"ID" help:"The message it replies to."`
	Metadata jsonObject `placeholder:"JSON" help:"Your own data, kept with the message: an object, such as '{\"order\": 17}'."`
	Text     string     `arg:"" help:"What it says; - reads standard input, but for one newline at its end."`

	serverFlags
}

// Help is shown by --help.
func (sendCommand) Help() string {
	return `Prints the message as it was stored, as one line of JSON. A request that fails is repeated, and yet the message is stored only once.

  message-service send --from alice --to bob "Lunch at noon?"
  date | message-service send --from alice --to bob -`
}

// jsonObject is an object whose members are kept as they were written.
type jsonObject map[string]any

// UnmarshalText reads it.
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

// maxInputBytes is more than a server takes, so that it refuses what is cut off there.
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
	if !utf8.ValidString(c.Text) { // JSON would replace what is not
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
	// Printed as it came: metadata may have numbers that are too large for Go's types.
	if _, err := messageservice.Check(&client.SendMessageResponse{Body: body, HTTPResponse: response}, nil); err != nil {
		return err
	}
	return writeLine(std.out, json.RawMessage(body))
}
