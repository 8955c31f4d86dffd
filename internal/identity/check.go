package identity

import "strings"

// Check returns an [Expired], [Revoked] or [Unavailable] error once a credential is no longer accepted. It takes
// no query.
func (s *Service) Check(p *Principal) error {
	now := s.now()
	if !p.Expires.IsZero() && !now.Before(p.Expires) {
		return errExpired
	}
	if strings.HasPrefix(p.Key, givenPrefix) {
		return nil // nobody can have revoked it
	}
	s.state.mu.RLock()
	defer s.state.mu.RUnlock()
	switch {
	case s.state.isRevoked(p):
		return errRevoked
	case now.Sub(s.state.read) > staleAfter:
		return errStale
	}
	return nil
}

// isRevoked reports whether a credential is revoked: a service key, a ticket that one made, or a user token and the
// tickets made with it.
func (s *state) isRevoked(p *Principal) bool {
	if p.User == "" || p.madeBy != "" {
		key := s.keys[p.Key+p.madeBy] // one of them is empty
		return key == nil || key.revoked
	}
	issued := p.issued.Unix()
	return issued < s.revocations[""] || issued < s.revocations[p.User]
}
