package identity

import "time"

// CreateToken makes a user token. Errors: [Forbidden] without the scope [TokensCreate]; [InvalidArgument]; [TokensOff]
// without TOKEN_SECRETS.
func (s *Service) CreateToken(by *Principal, user string, ttl time.Duration) (token string, expires time.Time, err error) {
	if err := by.require(TokensCreate); err != nil {
		return "", time.Time{}, err
	}
	return s.options.Secrets.Mint(s.options.Audience, user, s.now(), ttl)
}
