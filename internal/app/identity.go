package app

import (
	"context"
	"errors"

	"github.com/message-service/message-service/internal/identity"
)

// errNobody is why a server that nobody could use does not start.
var errNobody = errors.New("requests need a credential, and there is none yet: make a service key by " +
	"message-service key create backend --scope messages:read,messages:write,tokens:create, or give one with --service-key-file (SERVICE_KEY_FILE)")

// startIdentity starts what authenticates requests.
func (a *App) startIdentity(ctx context.Context) (err error) {
	options := a.options.Identity
	options.NotifyOff, options.Log = a.options.NotifyOff, a.log
	if a.Identity, err = identity.New(ctx, a.DB, options); err != nil {
		return err
	}
	if !a.options.API.Authenticate {
		// Keys and revocations can be changed, but nothing needs to hear of it.
		a.work("the purge of tickets", a.Identity.Tidy)
		return nil
	}
	if len(options.Keys) == 0 && len(options.Secrets) == 0 && options.Issuer.URL == "" {
		if err := a.requireKey(ctx); err != nil {
			return err
		}
	}
	a.work("the credentials", a.Identity.Run)
	return nil
}

// requireKey returns an error if the database has no service key, or makes one if that is wanted.
func (a *App) requireKey(ctx context.Context) error {
	has, err := a.Identity.HasKeys(ctx)
	switch {
	case err != nil || has:
		return err
	case !a.options.MakeKey:
		return errNobody
	}
	_, a.FirstKey, err = a.Identity.CreateKey(ctx, identity.Operator, identity.KeyRequest{Name: "first", Scopes: identity.Scopes()})
	return err
}
