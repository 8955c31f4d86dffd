package main

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

type tokenCommand struct {
	tokenFlags

	User string        `arg:"" help:"The id of the user."`
	TTL  time.Duration `name:"ttl" default:"1h" placeholder:"DURATION" help:"How long it is valid, up to 24h. Servers accept it for 30 seconds longer, as clocks differ."`
}

// Help is shown by --help.
func (tokenCommand) Help() string {
	return `Makes a user token with the first of the secrets that servers verify tokens by, without a server and without its database. Standard output is the token and nothing else.

  curl 'http://127.0.0.1:8080/v1/messages?recipient=bob' -H "Authorization: Bearer $(message-service token bob)"`
}

// Validate is called by the command line parser.
func (c tokenCommand) Validate() error {
	if cmp.Or(c.TokenSecrets, c.TokenSecretsFile) == "" {
		return errors.New("pass the --token-secrets or --token-secrets-file (TOKEN_SECRETS, TOKEN_SECRETS_FILE) and the --token-audience (TOKEN_AUDIENCE) of the server")
	}
	return c.tokenFlags.Validate()
}

// Run prints a token.
func (c tokenCommand) Run(std streams) error {
	secrets, err := c.secrets()
	if err != nil {
		return err
	}
	token, _, err := secrets.Mint(c.TokenAudience, c.User, time.Now(), c.TTL)
	if err != nil {
		return explainOption(err, map[string]string{"userId": "the user", "ttlSeconds": "--ttl"})
	}
	_, err = fmt.Fprintln(std.out, token)
	return err
}
