package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/message-service/message-service/api/messageservice"
	"github.com/message-service/message-service/gen/client"
)

// serverFlags are the options of commands that ask a server.
type serverFlags struct {
	Server string `env:"SERVER_URL" default:"http://127.0.0.1:8080" placeholder:"URL" help:"Where the server is (default: http://127.0.0.1:8080)."`
}

// Validate is called by the command line parser.
func (f serverFlags) Validate() error {
	if _, err := f.client(); err != nil {
		return fmt.Errorf("--server (SERVER_URL): %w", err)
	}
	return nil
}

func (f serverFlags) client() (*client.ClientWithResponses, error) {
	return messageservice.New(f.Server)
}

// writeLine writes a value as one line of JSON, by one write.
func writeLine(w io.Writer, value any) error {
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	return lines.Encode(value)
}
