package identity

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"strings"
)

// Authenticate returns who a service key or user token stands for. Errors: [Invalid]; [Expired] and [Revoked], of
// credentials that are genuine otherwise; [Unavailable].
func (s *Service) Authenticate(ctx context.Context, credential string) (*Principal, error) {
	hash := sha256.Sum256([]byte(credential))
	if p := s.options.Keys.find(&hash); p != nil {
		return p, nil
	}
	if strings.HasPrefix(credential, keyPrefix) {
		return s.authenticateKey(ctx, credential, &hash)
	}
	p, ok := s.remembered.Get(hash)
	if !ok {
		claims, err := s.verifier.verify(ctx, credential)
		if err != nil {
			return nil, err
		}
		p = &Principal{User: claims.User, Expires: claims.Expires, issued: claims.Issued}
		s.remembered.Put(hash, p)
	}
	if err := s.Check(p); err != nil {
		return nil, err
	}
	return p, nil
}

func (s *Service) authenticateKey(ctx context.Context, credential string, hash *[sha256.Size]byte) (*Principal, error) {
	id, ok := idOfKey(credential)
	if !ok {
		return nil, errInvalid
	}
	key := s.state.key(id)
	if key == nil { // another server may have made it a moment ago
		if err := s.refresh(ctx); err != nil {
			return nil, explain(err)
		}
		key = s.state.key(id)
	}
	switch {
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
