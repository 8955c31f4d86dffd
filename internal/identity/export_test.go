package identity

// Forge makes a key with a right checksum.
func Forge(id, secret string) string {
	body := keyPrefix + id + "_" + secret
	return body + "_" + checksum(body)
}
