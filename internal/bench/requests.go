package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
)

const host = "Host: 127.0.0.1\r\n"

// sends writes sends of random texts among so many users, each with a key of its own.
func sends(users int) script {
	return sendsBetween(func(random *rand.Rand) (sender, recipient int) { return someTwo(random, users) })
}

// someTwo chooses a user and another.
func someTwo(random *rand.Rand, users int) (sender, recipient int) {
	sender = random.IntN(users)
	return sender, (sender + 1 + random.IntN(users-1)) % users
}

// sendsBetween writes sends of random texts between the users that choose chooses.
func sendsBetween(choose func(random *rand.Rand) (sender, recipient int)) script {
	return func(random *rand.Rand, buf []byte) []byte {
		sender, recipient := choose(random)
		return appendSend(buf, random, sender, recipient)
	}
}

// appendSend writes a send of a random text under a random key.
func appendSend(buf []byte, random *rand.Rand, sender, recipient int) []byte {
	body := make([]byte, 0, 256) // stays on the stack
	body = fmt.Appendf(body, `{"sender":"user-%d","recipient":"user-%d","text":"`, sender, recipient)
	for range textWords - 1 {
		body = append(appendWord(body, random), ' ')
	}
	body = append(appendWord(body, random), `"}`...)
	return fmt.Appendf(buf, "POST /v1/messages HTTP/1.1\r\n"+host+"Content-Type: application/json\r\nIdempotency-Key: %d\r\nContent-Length: %d\r\n\r\n%s",
		random.Uint64()>>1, len(body), body)
}

// gets writes GET requests of the paths that path writes.
func gets(path script) script {
	return func(random *rand.Rand, buf []byte) []byte {
		return append(path(random, append(buf, "GET "...)), " HTTP/1.1\r\n"+host+"\r\n"...)
	}
}

// pages writes requests of the newest page of the mailboxes of random users.
func pages(users, limit int) script {
	return gets(func(random *rand.Rand, buf []byte) []byte {
		return fmt.Appendf(buf, "/v1/messages?recipient=user-%d&limit=%d", random.IntN(users), limit)
	})
}

// The texts are of ten words out of 20,000, as common and as rare as those of a
// language. The scripts in sql write the same ones.
const (
	textWords   = 10
	vocabulary  = 20_000
	wordSpacing = 101 // so that a word has about six characters
)

// appendWord writes a word: the nth most common one is about n times rarer than the
// first.
func appendWord(buf []byte, random *rand.Rand) []byte {
	rank := int64(math.Pow(vocabulary, random.Float64()))
	return strconv.AppendInt(append(buf, 'w'), rank*wordSpacing, 10)
}
