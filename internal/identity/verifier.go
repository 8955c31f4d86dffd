package identity

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// verifier verifies user tokens: HS256 only by the secrets, other algorithms only by the keys of the
// issuer, so that a public key is never taken for a secret.
type verifier struct {
	secrets  Secrets
	audience string  // of tokens that a secret has signed
	issuer   *issuer // nil if there is none
	now      func() time.Time
	slots    chan struct{} // a semaphore: as many signatures at a time as there are cores
}

func newVerifier(options Options) (*verifier, error) {
	v := &verifier{
		secrets:  options.Secrets,
		audience: options.Audience,
		now:      options.Now,
		slots:    make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	if v.secrets != nil && v.audience == "" {
		return nil, errors.New("TOKEN_SECRETS needs TOKEN_AUDIENCE")
	}
	if options.Issuer.URL == "" {
		return v, nil
	}
	var err error
	v.issuer, err = newIssuer(options.Issuer, options.Now, options.Log)
	return v, err
}

// refresh keeps the keys of the issuer up. It does not wait for them.
func (v *verifier) refresh() {
	if v.issuer != nil {
		v.issuer.refresh()
	}
}

// verify returns the claims of a token, or an [Error] that is [Invalid], [Expired] or [Unavailable].
// Only a token with a good signature is [Expired].
func (v *verifier) verify(ctx context.Context, text string) (claims, error) {
	t, err := parseToken(text)
	if err != nil {
		return claims{}, err
	}
	key, expected, err := v.key(ctx, t)
	if err != nil {
		return claims{}, err
	}
	if err := v.checkSignature(ctx, t, key); err != nil {
		return claims{}, err
	}
	return expected.readClaims(t.payload, v.now())
}

// key returns the key that a token must be signed with, and what its claims must say. It may wait for the issuer.
func (v *verifier) key(ctx context.Context, t unverified) (any, expected, error) {
	switch name := (keyName{t.header.Algorithm, t.header.KeyID}); name.algorithm {
	case "HS256":
		if key := v.secrets.find(name.id); key != nil {
			return key, expected{audience: v.audience}, nil
		}
		return nil, expected{}, errUnknownKey
	case "RS256", "ES256", "EdDSA":
		if v.issuer == nil {
			return nil, expected{}, errUnknownKey
		}
		key, err := v.issuer.key(ctx, name, t.issuedAt())
		return key, expected{v.issuer.audience, v.issuer.url}, err
	}
	return nil, expected{}, invalidToken("The alg of the token is not supported.")
}

var errUnknownKey = invalidToken("The token is signed with a key that is not known here.")

// checkSignature waits for a slot, so that junk cannot take more than the cores at once. It holds none
// while it waits for the issuer: see [verifier.key].
func (v *verifier) checkSignature(ctx context.Context, t unverified, key any) error {
	select {
	case v.slots <- struct{}{}:
		defer func() { <-v.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := jwt.GetSigningMethod(t.header.Algorithm).Verify(t.signed, t.signature, key); err != nil {
		return invalidToken("The signature of the token is wrong.")
	}
	return nil
}
