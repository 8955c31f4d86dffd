package identity

// Check returns an [Expired], [Revoked] or [Unavailable] error once a credential is no longer accepted. It takes
// no query.
func (s *Service) Check(p *Principal) error {
	now := s.now()
	if !p.Expires.IsZero() && !now.Before(p.Expires) {
		return errExpired
	}
	key := p.key()
	if key != "" && s.options.Keys.has(key) {
		return nil // nobody can have revoked it
	}
	s.state.mu.RLock()
	defer s.state.mu.RUnlock()
	switch {
	case key != "" && !s.state.isLive(key), key == "" && s.state.isRevoked(p):
		return errRevoked
	case now.Sub(s.state.read) > staleAfter:
		return errStale
	}
	return nil
}

// isLive reports whether a service key is known, and not revoked.
func (s *state) isLive(id string) bool {
	key := s.keys[id]
	return key != nil && !key.revoked
}

// isRevoked reports whether a user token is revoked, or a ticket that one made.
func (s *state) isRevoked(p *Principal) bool {
	issued := p.issued.Unix()
	return issued < s.revocations[""] || issued < s.revocations[p.User]
}
