package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
)

const host = "Host: 127.0.0.1\r\n"

// sends writes sends of random texts among a number of users, each with its own idempotency key.
func sends(users int) script {
	return sendsBetween(func(random *rand.Rand) (sender, recipient int) { return someTwo(random, users) })
}

// someTwo chooses two different users.
func someTwo(random *rand.Rand, users int) (sender, recipient int) {
	sender = random.IntN(users)
	return sender, (sender + 1 + random.IntN(users-1)) % users
}

// sendsBetween writes sends of random texts; choose returns sender and recipient.
func sendsBetween(choose func(random *rand.Rand) (sender, recipient int)) script {
	return func(random *rand.Rand, buf []byte) []byte {
		sender, recipient := choose(random)
		return appendSend(buf, random, sender, recipient)
	}
}

// appendSend appends a send of a random text with a random idempotency key.
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

// gets writes GET requests; path appends their paths.
func gets(path script) script {
	return func(random *rand.Rand, buf []byte) []byte {
		return append(path(random, append(buf, "GET "...)), " HTTP/1.1\r\n"+host+"\r\n"...)
	}
}

// pages writes requests for the newest page of random mailboxes.
func pages(users, limit int) script {
	return gets(func(random *rand.Rand, buf []byte) []byte {
		return fmt.Appendf(buf, "/v1/messages?recipient=user-%d&limit=%d", random.IntN(users), limit)
	})
}

// The texts have ten words out of 20,000, with frequencies as in a natural language. The
// scripts in sql write the same words.
const (
	textWords   = 10
	vocabulary  = 20_000
	wordSpacing = 101 // makes words of about six characters
)

// appendWord appends a random word.
func appendWord(buf []byte, random *rand.Rand) []byte {
	return strconv.AppendInt(append(buf, 'w'), int64(zipf(random, vocabulary)*wordSpacing), 10)
}

// zipf returns a rank below n by Zipf's law: the nth most common word is about n times rarer than the first.
func zipf(random *rand.Rand, n float64) int { return int(math.Pow(n, random.Float64())) }
