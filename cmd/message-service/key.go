package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/identity"
)

type keyCommand struct {
	Create keyCreateCommand `cmd:"" help:"Make a service key, and print it."`
	List   keyListCommand   `cmd:"" help:"List the service keys."`
	Revoke keyRevokeCommand `cmd:"" help:"End a service key."`
}

// Help is shown by --help.
func (keyCommand) Help() string {
	return "Service keys are for backends. These commands use the database itself, whether servers run on it or not: they accept a new key at once, and refuse a revoked one within 2 seconds."
}

type keyCreateCommand struct {
	schemaFlags

	Name    string           `arg:"" help:"What the key is for, such as the backend that has it."`
	Scope   []identity.Scope `required:"" placeholder:"SCOPE" help:"What it may be used for: messages:read, messages:write, groups:write, users:export, users:erase, tokens:create, admin; or all."`
	Expires *timestamp       `placeholder:"TIME" help:"When it expires, such as 2027-11-24T18:00:00Z; default: never."`
}

// Help is shown by --help.
func (keyCreateCommand) Help() string {
	return `Standard output is the key and nothing else. It is shown only then: the database has a hash of it.

  KEY=$(message-service key create shop --scope messages:read,messages:write)`
}

// Run makes a key. Like import, it applies missing migrations, so that the first key can be made before the first start.
func (c keyCreateCommand) Run(ctx context.Context, std streams) error {
	log := warnings(std.err)
	database, _, err := c.openMigrated(ctx, log)
	if err != nil {
		return interrupted(ctx, err)
	}
	defer app.CloseDatabase(database, log)
	service, err := identity.New(ctx, database, identity.Options{})
	if err != nil {
		return err
	}
	scopes := c.Scope
	if slices.Contains(scopes, allScopes) {
		scopes = identity.Scopes()
	}
	request := identity.KeyRequest{Name: c.Name, Scopes: scopes}
	if c.Expires != nil {
		request.Expires = &c.Expires.Time
	}
	key, secret, err := service.CreateKey(ctx, identity.Operator, request)
	if err != nil {
		return explainOption(err, map[string]string{"name": "the name", "scopes": "--scope", "expiresAt": "--expires"})
	}
	if _, err := fmt.Fprintln(std.out, secret); err != nil {
		return fmt.Errorf("the key %s was made but not printed, so revoke it: %w", key.ID, err)
	}
	fmt.Fprintf(std.err, `
The key is shown only now. Its id is %s, by which message-service key revoke ends it. With the key in KEY:

  curl %s -H "Authorization: Bearer $KEY"

`, key.ID, example(key.Scopes))
	return nil
}

// example returns the arguments of a curl that uses the first of the scopes.
func example(scopes []identity.Scope) string {
	const v1 = "http://127.0.0.1:8080/v1/"
	return cmp.Or(map[identity.Scope]string{
		identity.MessagesRead:  "'" + v1 + "messages?recipient=bob'",
		identity.MessagesWrite: v1 + `messages --json '{"sender": "alice", "recipient": "bob", "text": "Hello!"}'`,
		identity.UsersExport:   v1 + "users/bob/export",
		identity.TokensCreate:  v1 + `tokens --json '{"userId": "bob"}'`,
		identity.Admin:         v1 + "keys",
	}[scopes[0]], v1+"limits")
}

// allScopes stands for all scopes on the command line.
const allScopes = "all"

func parseScope(text string) (identity.Scope, error) {
	scope, scopes := identity.Scope(text), identity.Scopes()
	if scope == allScopes || slices.Contains(scopes, scope) {
		return scope, nil
	}
	return "", fmt.Errorf("must be %s or %s", strings.Join(names(scopes), ", "), allScopes)
}

func names(scopes []identity.Scope) []string {
	texts := make([]string, len(scopes))
	for i, scope := range scopes {
		texts[i] = string(scope)
	}
	return texts
}

type keyListCommand struct{ databaseFlags }

// Run lists the keys, without what is secret.
func (c keyListCommand) Run(ctx context.Context, std streams) error {
	return withIdentity(ctx, c.databaseFlags, std, func(service *identity.Service) error {
		keys, err := service.ListKeys(ctx, identity.Operator)
		if err != nil {
			return err
		}
		if len(keys) == 0 {
			fmt.Fprintln(std.out, "There are no service keys.")
			return nil
		}
		table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tNAME\tSCOPES\tCREATED\tEXPIRES\tLAST USED")
		for _, key := range keys {
			scopes := strings.Join(names(key.Scopes), ",")
			if len(key.Scopes) == len(identity.Scopes()) {
				scopes = allScopes // the line then fits in a terminal
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", key.ID, key.Name, scopes,
				orNever(key.Created, time.DateOnly), orNever(key.Expires, time.RFC3339), orNever(key.LastUsed, time.DateOnly))
		}
		return table.Flush()
	})
}

func orNever(t time.Time, layout string) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(layout)
}

type keyRevokeCommand struct {
	databaseFlags

	ID string `arg:"" help:"The id of the key: its second part, which key list shows too."`
}

// Run revokes a key.
func (c keyRevokeCommand) Run(ctx context.Context, std streams) error {
	return withIdentity(ctx, c.databaseFlags, std, func(service *identity.Service) error {
		err := service.RevokeKey(ctx, identity.Operator, c.ID)
		if said, ok := errors.AsType[*identity.Error](err); ok && said.Code == identity.NotFound {
			return errors.New("there is no such service key, or it was revoked before: message-service key list shows the ids")
		}
		if err != nil {
			return explainOption(err, nil)
		}
		fmt.Fprintln(std.out, "The key is revoked: servers refuse it within 2 seconds.")
		return nil
	})
}

// withIdentity runs fn on a database that exists and is up to date.
func withIdentity(ctx context.Context, flags databaseFlags, std streams, fn func(*identity.Service) error) error {
	log := warnings(std.err)
	database, err := flags.openExisting(commandOptions(log))
	if err != nil {
		return err
	}
	defer app.CloseDatabase(database, log)
	if err := checkUpToDate(ctx, database); err != nil {
		return interrupted(ctx, err)
	}
	service, err := identity.New(ctx, database, identity.Options{})
	if err != nil {
		return err
	}
	return fn(service)
}

// explainOption returns an error for the terminal: in place of the field that it is about, it names an option.
func explainOption(err error, options map[string]string) error {
	said, ok := errors.AsType[*identity.Error](err)
	switch {
	case !ok || errors.Is(err, db.ErrUnavailable):
		return err
	case said.Field != "":
		return errors.New(options[said.Field] + " " + said.Message)
	}
	return errors.New(said.Message)
}
