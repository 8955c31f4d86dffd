package identity

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"strings"
	"time"
)

// Authenticate returns who a service key or user token stands for. Errors: [Invalid]; [Expired] and [Revoked], of
// credentials that are genuine otherwise; [Unavailable].
func (s *Service) Authenticate(ctx context.Context, credential string) (*Principal, error) {
	if len(credential) > maxTokenSize {
		return nil, errInvalid
	}
	hash := sha256.Sum256(append(make([]byte, 0, 512), credential...)) // on the stack, unless it is longer
	if p := s.options.Keys.find(&hash); p != nil {
		return p, nil
	}
	if strings.HasPrefix(credential, keyPrefix) {
		return s.authenticateKey(ctx, credential, &hash)
	}
	return s.authenticateToken(ctx, credential, hash)
}

const (
	// rememberedTokens is twice as many as a server with 20,000 busy users has: see package recent. One takes some 300 bytes.
	rememberedTokens = 40_000

	// rememberFor is how long a token is not verified again, so that one whose key the issuer has withdrawn is refused soon.
	rememberFor = 10 * time.Minute
)

// remembered is a verified token.
type remembered struct {
	principal *Principal
	verified  time.Time
}

func (s *Service) authenticateToken(ctx context.Context, token string, hash [sha256.Size]byte) (*Principal, error) {
	known, ok := s.remembered.Get(hash)
	if !ok || s.now().Sub(known.verified) > rememberFor {
		claims, err := s.verifier.verify(ctx, token)
		if err != nil {
			return nil, err
		}
		known = remembered{&Principal{User: claims.User, Expires: claims.Expires, issued: claims.Issued}, s.now()}
		s.remembered.Put(hash, known)
	}
	if err := s.Check(known.principal); err != nil {
		return nil, err
	}
	return known.principal, nil
}

func (s *Service) authenticateKey(ctx context.Context, credential string, hash *[sha256.Size]byte) (*Principal, error) {
	id, ok := idOfKey(credential)
	if !ok {
		return nil, errMistyped
	}
	key, err := s.findKey(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case key == nil:
		return nil, errInvalid
	case key.revoked:
		return nil, errRevoked
	case subtle.ConstantTimeCompare(key.hash[:], hash[:]) == 0:
		return nil, errInvalid
	}
	if err := s.Check(key.principal); err != nil {
		return nil, err
	}
	today := dayOf(s.now())
	if last := key.usedOn.Load(); last < today && key.usedOn.CompareAndSwap(last, today) {
		s.uses.add(id, today)
	}
	return key.principal, nil
}

// findKey returns a stored key, or nil. One that is unknown here may have been made on another server a moment ago.
func (s *Service) findKey(ctx context.Context, id string) (*storedKey, error) {
	if key := s.state.key(id); key != nil {
		return key, nil
	}
	if err := s.refresh(ctx); err != nil {
		return nil, explain(err)
	}
	return s.state.key(id), nil
}
