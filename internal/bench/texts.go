package main

import (
	"math/rand/v2"
	"strings"
)

// mailbox has generated texts.
type mailbox struct {
	owner, title string // of the mailboxes of others: none
	messages     int
	bytes        int // of each text, at least
}

// What texts have besides random words. A twentieth of them are Chinese, and all others have the common
// word, and one or the other of two words. A large mailbox has three with the rare word.
const (
	commonWord   = "the"
	middlingWord = "quarterly"
	rareWord     = "zebra"
	othersWord   = "unicorn"
	rareMessages = 3
	searchWords  = 32 // the most that a query may have
)

var (
	eitherWord    = [2]string{"north", "south"}
	chinesePhrase = string([]rune{characterOfRank(10), characterOfRank(20), characterOfRank(30), characterOfRank(40)})
)

// text writes the n-th text.
func (m mailbox) text(random *rand.Rand, n int) string {
	rare := m.owner != "" && n%(m.messages/rareMessages) == 1
	var text strings.Builder
	if !rare && random.IntN(20) == 0 {
		phrase := random.IntN(10) == 0
		for text.Len() < m.bytes {
			text.WriteRune(characterOfRank(zipf(random, 2000)))
			if phrase && text.Len() == 15 {
				text.WriteString(chinesePhrase)
			}
		}
		return text.String()
	}
	text.WriteString(commonWord + " " + eitherWord[random.IntN(2)])
	switch {
	case rare:
		text.WriteString(" " + rareWord)
	case m.owner == "" && random.IntN(10) == 0:
		text.WriteString(" " + othersWord)
	case random.IntN(100) == 0:
		text.WriteString(" " + middlingWord)
	}
	for text.Len() < m.bytes {
		text.WriteString(" " + wordOfRank(zipf(random, vocabulary)))
	}
	return text.String()
}

// wordOfRank is the word of a rank: of three letters for the most common ones, else of six.
func wordOfRank(rank int) string {
	syllable := func(n int) string { return string([]byte{"bdfghklmnprstvwz"[n%16], "aeiou"[n/16%5]}) }
	if rank <= searchWords {
		return syllable(rank) + "n"
	}
	n := rank * 7919 // scatters neighbours
	return syllable(n/6400) + syllable(n/80) + syllable(n)
}

// characterOfRank is the Chinese character of a rank.
func characterOfRank(rank int) rune { return rune(0x4e00 + rank*9) }

// longestQuery has the most common words of the texts, as many as it may have, in 128 characters.
func longestQuery() (q string) {
	for rank := range searchWords {
		q += wordOfRank(rank+1) + " "
	}
	return q
}
