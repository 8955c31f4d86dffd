package identity

// ReadsOf is how many reads of the state of a service have begun.
func ReadsOf(s *Service) int64 { return s.state.begun.Load() }

// Forge makes a key with a right checksum.
func Forge(id, secret string) string {
	body := keyPrefix + id + "_" + secret
	return body + "_" + checksum(body)
}
