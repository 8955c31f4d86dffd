package main

import (
	"fmt"
	"math"
	"math/rand/v2"
)

const host = "Host: 127.0.0.1\r\n"

// authorization is the header with the token of a user, "" without tokens.
func authorization(tokens []string, user int) string {
	if tokens == nil {
		return ""
	}
	return tokens[user]
}

// sends writes sends of random texts among a number of users, each with its own idempotency key.
func sends(users int, tokens ...string) script {
	return func(random *rand.Rand, buf []byte) []byte {
		sender := random.IntN(users)
		recipient := (sender + 1 + random.IntN(users-1)) % users
		return appendSend(buf, random, fmt.Appendf(nil, `"sender":"user-%d","recipient":"user-%d"`, sender, recipient), authorization(tokens, sender))
	}
}

// appendSend appends the send of a random text; the addresses are its first members.
func appendSend(buf []byte, random *rand.Rand, addresses []byte, authorization string) []byte {
	body := make([]byte, 0, 256) // stays on the stack
	body = fmt.Appendf(body, `{%s,"text":"`, addresses)
	for range textWords {
		body = fmt.Appendf(body, "w%d ", zipf(random, vocabulary)*wordSpacing)
	}
	body = append(body[:len(body)-1], `"}`...)
	return fmt.Appendf(buf, "POST /v1/messages HTTP/1.1\r\n"+host+"Content-Type: application/json\r\nIdempotency-Key: %d\r\n%sContent-Length: %d\r\n\r\n%s",
		random.Uint64()>>1, authorization, len(body), body)
}

// gets writes GET requests; path appends their paths.
func gets(path script) script {
	return func(random *rand.Rand, buf []byte) []byte {
		return append(path(random, append(buf, "GET "...)), " HTTP/1.1\r\n"+host+"\r\n"...)
	}
}

// pages writes requests for the newest page of random mailboxes.
func pages(users, limit int, tokens ...string) script {
	return func(random *rand.Rand, buf []byte) []byte {
		user := random.IntN(users)
		return fmt.Appendf(buf, "GET /v1/messages?recipient=user-%d&limit=%d HTTP/1.1\r\n"+host+"%s\r\n", user, limit, authorization(tokens, user))
	}
}

// The texts have ten words out of 20,000, with frequencies as in a natural language. The
// scripts in sql write the same words.
const (
	textWords   = 10
	vocabulary  = 20_000
	wordSpacing = 101 // makes words of about six characters
)

// zipf returns a rank below n by Zipf's law: the nth most common word is about n times rarer than the first.
func zipf(random *rand.Rand, n float64) int { return int(math.Pow(n, random.Float64())) }
