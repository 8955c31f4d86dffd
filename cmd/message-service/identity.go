package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strings"

	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/identity"
	"github.com/message-service/message-service/internal/ratelimit"
)

// identityFlags are the options that say who may use the server.
type identityFlags struct {
	Auth                 authMode `env:"AUTH" placeholder:"required|off" help:"Whether every request needs a credential: a service key or a user token. Default: off if the server listens on a loopback address and none of the options for credentials is given, otherwise required. On another address, off needs ALLOW_UNAUTHENTICATED too."`
	AllowUnauthenticated bool     `env:"ALLOW_UNAUTHENTICATED" help:"Go without authentication although other machines can reach the server, by its address or through a proxy: every client can then read and write all messages. Host names and proxies are no longer refused."`

	ServiceKey     string `env:"SERVICE_KEY" placeholder:"KEY,..." help:"One or several service keys of your own, separated by commas or lines, of 32 to 256 characters, which may do everything. They are not stored; message-service key create makes keys that are."`
	ServiceKeyFile string `env:"SERVICE_KEY_FILE" placeholder:"PATH" help:"A file that holds them, such as a mounted secret, in place of SERVICE_KEY."`
	tokenFlags
	OIDCIssuer   string `name:"oidc-issuer" env:"OIDC_ISSUER" placeholder:"URL" help:"The OpenID Connect provider whose tokens (RS256, ES256 or EdDSA) are accepted as user tokens. It needs OIDC_AUDIENCE."`
	OIDCAudience string `name:"oidc-audience" env:"OIDC_AUDIENCE" placeholder:"NAME" help:"The audience that its tokens must have. It needs OIDC_ISSUER."`

	rateFlags
}

// authMode is required, off or "", for what suits the address.
type authMode string

func parseAuth(text string) (authMode, error) {
	if text != "required" && text != "off" {
		return "", errors.New("must be required or off")
	}
	return authMode(text), nil
}

// tokenFlags are the options of user tokens signed with a shared secret.
type tokenFlags struct {
	TokenSecrets     string `env:"TOKEN_SECRETS" placeholder:"ID=SECRET,..." help:"The secrets by which user tokens are signed (HS256), as id=secret, separated by commas or lines, of at least 32 bytes each. The first one signs, all of them verify. They need TOKEN_AUDIENCE."`
	TokenSecretsFile string `env:"TOKEN_SECRETS_FILE" placeholder:"PATH" help:"A file that holds them, such as a mounted secret, in place of TOKEN_SECRETS."`
	TokenAudience    string `env:"TOKEN_AUDIENCE" placeholder:"NAME" help:"The audience that tokens signed with these secrets have and must have. It needs TOKEN_SECRETS or their file."`
}

// rateFlags are the options of rate limits.
type rateFlags struct {
	RateLimitSend   ratelimit.Limit `env:"RATE_LIMIT_SEND" default:"300/60s" placeholder:"N/TIME" help:"How many messages each user may send in a time, or off. Further requests are answered 429. No limits of rates apply to requests that need no credential."`
	RateLimitWrite  ratelimit.Limit `env:"RATE_LIMIT_WRITE" default:"600/60s" placeholder:"N/TIME" help:"The same for other changes. Adding members to a group counts once for each user."`
	RateLimitRead   ratelimit.Limit `env:"RATE_LIMIT_READ" default:"1200/60s" placeholder:"N/TIME" help:"The same for reading."`
	RateLimitSearch ratelimit.Limit `env:"RATE_LIMIT_SEARCH" default:"120/60s" placeholder:"N/TIME" help:"The same for searches."`
	RateLimitFailed ratelimit.Limit `env:"RATE_LIMIT_FAILED" default:"60/60s" placeholder:"N/TIME" help:"How many requests with an invalid credential are answered 401 for each client address; further ones are answered 429. Requests with a valid one are never refused for that."`
	RateLimitKeys   bool            `env:"RATE_LIMIT_KEYS" help:"Apply these limits to each service key too."`
}

// identity converts the flags, and reads the files that they name.
func (f identityFlags) identity() (identity.Options, error) {
	keys, err := secret(f.ServiceKey, f.ServiceKeyFile, "--service-key-file (SERVICE_KEY_FILE)")
	if err != nil {
		return identity.Options{}, err
	}
	given, err := identity.ParseGivenKeys(keys)
	if err != nil {
		return identity.Options{}, fmt.Errorf("--service-key (SERVICE_KEY): %w", err)
	}
	secrets, err := f.secrets()
	return identity.Options{
		Keys: given, Secrets: secrets, Audience: f.TokenAudience, Issuer: identity.Issuer{URL: f.OIDCIssuer, Audience: f.OIDCAudience},
	}, err
}

// secrets parses the secrets, from the file if there is one.
func (f tokenFlags) secrets() (identity.Secrets, error) {
	text, err := secret(f.TokenSecrets, f.TokenSecretsFile, "--token-secrets-file (TOKEN_SECRETS_FILE)")
	if err != nil {
		return nil, err
	}
	return identity.ParseSecrets(text)
}

// limits converts the flags.
func (f rateFlags) limits() httpapi.RateLimits {
	return httpapi.RateLimits{
		Send: f.RateLimitSend, Write: f.RateLimitWrite, Read: f.RateLimitRead, Search: f.RateLimitSearch,
		Failed: f.RateLimitFailed, Keys: f.RateLimitKeys,
	}
}

// Validate is called by the command line parser.
func (f tokenFlags) Validate() error {
	secrets := cmp.Or(f.TokenSecrets, f.TokenSecretsFile)
	switch {
	case f.TokenSecrets != "" && f.TokenSecretsFile != "":
		return errors.New("--token-secrets and --token-secrets-file (TOKEN_SECRETS and TOKEN_SECRETS_FILE) exclude each other")
	case secrets != "" && f.TokenAudience == "":
		return errors.New("--token-secrets and --token-secrets-file (TOKEN_SECRETS, TOKEN_SECRETS_FILE) need --token-audience (TOKEN_AUDIENCE), the name of this service that its tokens must have as aud")
	case secrets == "" && f.TokenAudience != "":
		return errors.New("--token-audience (TOKEN_AUDIENCE) needs --token-secrets or --token-secrets-file (TOKEN_SECRETS, TOKEN_SECRETS_FILE)")
	}
	return nil
}

// Validate is called by the command line parser.
func (f identityFlags) Validate() error {
	given := f.credentials()
	switch {
	case f.Auth == "required" && f.AllowUnauthenticated:
		return errors.New("--allow-unauthenticated (ALLOW_UNAUTHENTICATED) contradicts --auth required (AUTH): leave one of them out")
	case f.Auth == "off" && given != "":
		return errors.New(given + " is of no use with --auth off (AUTH): leave one of them out")
	case f.AllowUnauthenticated && given != "":
		return errors.New(given + " is of no use with --allow-unauthenticated (ALLOW_UNAUTHENTICATED): leave one of them out")
	case f.ServiceKey != "" && f.ServiceKeyFile != "":
		return errors.New("--service-key and --service-key-file (SERVICE_KEY and SERVICE_KEY_FILE) exclude each other")
	case f.OIDCIssuer != "" && f.OIDCAudience == "":
		return errors.New("--oidc-issuer (OIDC_ISSUER) needs --oidc-audience (OIDC_AUDIENCE), the name of this service that its tokens must have as aud")
	case f.OIDCIssuer == "" && f.OIDCAudience != "":
		return errors.New("--oidc-audience (OIDC_AUDIENCE) needs --oidc-issuer (OIDC_ISSUER)")
	}
	return f.tokenFlags.Validate()
}

// credentials names the first option given for credentials, or returns "".
func (f identityFlags) credentials() string {
	for _, option := range []struct{ value, name string }{
		{f.ServiceKey, "--service-key (SERVICE_KEY)"}, {f.ServiceKeyFile, "--service-key-file (SERVICE_KEY_FILE)"},
		{f.TokenSecrets, "--token-secrets (TOKEN_SECRETS)"}, {f.TokenSecretsFile, "--token-secrets-file (TOKEN_SECRETS_FILE)"},
		{f.OIDCIssuer, "--oidc-issuer (OIDC_ISSUER)"},
	} {
		if option.value != "" {
			return option.name
		}
	}
	return ""
}

// authenticates reports whether requests to a server on this address need a credential.
func (f identityFlags) authenticates(listenAddress string) bool {
	if f.Auth != "" {
		return f.Auth == "required"
	}
	return !f.AllowUnauthenticated && (f.credentials() != "" || !isLocal(listenAddress))
}

// maxSecretBytes bounds the files of keys and secrets.
const maxSecretBytes = 64 << 10

// secret returns the value of an option, or of the file that another option names.
func secret(value, path, fileOption string) (string, error) {
	if path == "" {
		return value, nil
	}
	content, err := app.ReadSmall(path, maxSecretBytes)
	if err != nil {
		if pathError, ok := errors.AsType[*fs.PathError](err); ok {
			err = pathError.Err // leaves out the path, which may be a secret given by mistake
		}
		return "", fmt.Errorf("the file of %s cannot be read: %w", fileOption, err)
	}
	text := strings.TrimSpace(string(content))
	if text == "" {
		return "", fmt.Errorf("the file of %s is empty", fileOption)
	}
	return text, nil
}

// parsePrefix parses a range of addresses, or a single one.
func parsePrefix(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil && address.Zone() == "" {
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, errors.New("must be an IP address, or a range of them such as 10.0.0.0/8")
	}
	return prefix.Masked(), nil
}
