package identity

import "time"

// ReadsOf is how many reads of the state of a service have ended.
func ReadsOf(s *Service) int64 {
	s.state.slot <- struct{}{}
	defer func() { <-s.state.slot }()
	return s.state.ended
}

// PollInterval is how often a service reads the state unasked. A test may set it before [Service.Run].
func PollInterval(s *Service) *time.Duration { return &s.pollInterval }

// Forge makes a key with a right checksum.
func Forge(id, secret string) string {
	body := keyPrefix + id + "_" + secret
	return body + "_" + checksum(body)
}
