package main

import (
	"fmt"
	"math"
	"math/rand/v2"
)

const host = "Host: 127.0.0.1\r\n"

// serviceKey is accepted by all servers, except for those of the section authentication.
const serviceKey = "a-service-key-of-servers-that-end-with-the-run"

// credential are the headers of the requests of a backend.
const credential = host + "Authorization: Bearer " + serviceKey + "\r\n"

// headers are those of a request of a user, by the user's token if there are tokens.
func headers(tokens []string, user int) string {
	if tokens == nil {
		return credential
	}
	return host + tokens[user]
}

// sending is how users send each other random texts.
type sending struct {
	users  int
	known  bool     // each user writes to one and the same other; else to any of them
	keyed  bool     // each with its own idempotency key
	tokens []string // the header of each user; nil if a service sends for them
}

// neighbour is the one that a user writes to who writes to no other.
func neighbour(user int) int { return user ^ 1 }

// pair draws two users.
func (s sending) pair(random *rand.Rand) (sender, recipient int) {
	sender = random.IntN(s.users)
	if s.known {
		return sender, neighbour(sender)
	}
	return sender, (sender + 1 + random.IntN(s.users-1)) % s.users
}

// script writes sends.
func (s sending) script(random *rand.Rand, buf []byte) []byte {
	sender, recipient := s.pair(random)
	return appendSend(buf, random, fmt.Appendf(nil, `"sender":"user-%d","recipient":"user-%d"`, sender, recipient), headers(s.tokens, sender), s.keyed)
}

// String describes the sends, as a part of a subject.
func (s sending) String() string {
	key, pairs := "without a key", "new pairs"
	if s.keyed {
		key = "with a key"
	}
	if s.known {
		pairs = "known pairs"
	}
	return fmt.Sprintf("%s, %s users, %s", key, number(float64(s.users)), pairs)
}

// sends writes sends among a number of users, as the first example of the README sends.
func sends(users int) script { return sending{users: users}.script }

// appendSend appends the send of a random text; the addresses are its first members.
func appendSend(buf []byte, random *rand.Rand, addresses []byte, headers string, keyed bool) []byte {
	body := make([]byte, 0, 256) // stays on the stack
	body = fmt.Appendf(body, `{%s,"text":"`, addresses)
	body = append(appendText(body, random), `"}`...)
	buf = append(append(buf, "POST /v1/messages HTTP/1.1\r\nContent-Type: application/json\r\n"...), headers...)
	if keyed {
		buf = fmt.Appendf(buf, "Idempotency-Key: %d\r\n", random.Uint64()>>1)
	}
	return fmt.Appendf(buf, "Content-Length: %d\r\n\r\n%s", len(body), body)
}

// gets writes GET requests; path appends their paths.
func gets(path script) script {
	return func(random *rand.Rand, buf []byte) []byte {
		return append(path(random, append(buf, "GET "...)), " HTTP/1.1\r\n"+credential+"\r\n"...)
	}
}

// pages writes requests for the newest page of random mailboxes.
func pages(users, limit int, tokens ...string) script {
	return func(random *rand.Rand, buf []byte) []byte {
		user := random.IntN(users)
		return fmt.Appendf(buf, "GET /v1/messages?recipient=user-%d&limit=%d HTTP/1.1\r\n%s\r\n", user, limit, headers(tokens, user))
	}
}

// threads writes requests for the newest page of what two neighbours have written to each other.
func threads(users, limit int) script {
	return gets(func(random *rand.Rand, buf []byte) []byte {
		user := random.IntN(users)
		return fmt.Appendf(buf, "/v1/users/user-%d/conversations/user-%d/messages?limit=%d", user, neighbour(user), limit)
	})
}

// The texts have ten words out of 20,000, with frequencies as in a natural language. The
// scripts in sql write the same words.
const (
	textWords   = 10
	vocabulary  = 20_000
	wordSpacing = 101 // makes words of about six characters
)

// appendText appends a random text.
func appendText(buf []byte, random *rand.Rand) []byte {
	for range textWords {
		buf = fmt.Appendf(buf, "w%d ", zipf(random, vocabulary)*wordSpacing)
	}
	return buf[:len(buf)-1]
}

// zipf returns a rank below n by Zipf's law: the nth most common word is about n times rarer than the first.
func zipf(random *rand.Rand, n float64) int { return int(math.Pow(n, random.Float64())) }
