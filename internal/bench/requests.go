package main

import (
	"math"
	"math/rand/v2"
	"strconv"
)

const host = "Host: 127.0.0.1\r\n"

// sends writes sends of random texts among so many users, each with a key of its own.
func sends(users int) script {
	return sendsBetween(func(random *rand.Rand) (sender, recipient string) {
		a := random.IntN(users)
		return userName(a), userName((a + 1 + random.IntN(users-1)) % users) // anyone else
	})
}

// sendsBetween writes sends of random texts between the users that choose chooses.
func sendsBetween(choose func(random *rand.Rand) (sender, recipient string)) script {
	return func(random *rand.Rand, buf []byte) []byte {
		sender, recipient := choose(random)
		return appendSend(buf, random, sender, recipient)
	}
}

// appendSend writes a send of a random text under a random key.
func appendSend(buf []byte, random *rand.Rand, sender, recipient string) []byte {
	body := make([]byte, 0, 256) // stays on the stack
	body = append(body, `{"sender":"`...)
	body = append(body, sender...)
	body = append(body, `","recipient":"`...)
	body = append(body, recipient...)
	body = append(body, `","text":"`...)
	body = appendText(body, random)
	body = append(body, `"}`...)
	buf = append(buf, "POST /v1/messages HTTP/1.1\r\n"+host+"Content-Type: application/json\r\nIdempotency-Key: "...)
	buf = strconv.AppendUint(buf, random.Uint64()>>1, 10)
	buf = append(buf, "\r\nContent-Length: "...)
	buf = strconv.AppendInt(buf, int64(len(body)), 10)
	buf = append(buf, "\r\n\r\n"...)
	return append(buf, body...)
}

// gets writes GET requests of the paths that path writes.
func gets(path script) script {
	return func(random *rand.Rand, buf []byte) []byte {
		buf = append(buf, "GET "...)
		buf = path(random, buf)
		return append(buf, " HTTP/1.1\r\n"+host+"\r\n"...)
	}
}

// pages writes requests of the newest page of the mailboxes of random users.
func pages(users, limit int) script {
	return gets(func(random *rand.Rand, buf []byte) []byte {
		buf = append(buf, "/v1/messages?recipient="...)
		buf = append(buf, userName(random.IntN(users))...)
		buf = append(buf, "&limit="...)
		return strconv.AppendInt(buf, int64(limit), 10)
	})
}

func userName(n int) string { return "user-" + strconv.Itoa(n) }

// The texts are of ten words out of 20,000, as common and as rare as those of a
// language. The scripts of pgbench write the same ones.
const (
	textWords   = 10
	vocabulary  = 20_000
	wordSpacing = 101 // so that a word has about six characters
)

func appendText(buf []byte, random *rand.Rand) []byte {
	for i := range textWords {
		if i > 0 {
			buf = append(buf, ' ')
		}
		buf = appendWord(buf, random)
	}
	return buf
}

// appendWord writes a word: the nth most common one is about n times rarer than the
// first.
func appendWord(buf []byte, random *rand.Rand) []byte {
	rank := int64(math.Pow(vocabulary, random.Float64()))
	return strconv.AppendInt(append(buf, 'w'), rank*wordSpacing, 10)
}
