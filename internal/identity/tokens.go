package identity

import "time"

// CreateToken makes a user token. Errors: [InvalidArgument]; [TokensOff] without TOKEN_SECRETS.
func (s *Service) CreateToken(user string, ttl time.Duration) (token string, expires time.Time, err error) {
	return s.options.Secrets.Mint(s.options.Audience, user, s.now(), ttl)
}
