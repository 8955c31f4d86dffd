package demo

import (
	"cmp"
	"embed"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/roster"
)

//go:embed scripts
var scripts embed.FS

// shop is the user to whom the customers write.
const shop = "juniper-bikes"

// Least and Most bound the number of messages in a store. The scripts of company and family alone
// have slightly fewer than Least.
const (
	Least = 300
	Most  = 100_000
)

// Store returns the records of a store with that many messages, from [Least] to [Most], in the
// order of an import: the conversations of company and family, and then as many customers of the
// shop as it takes. Nothing is later than until, whose time zone is that of all times of day in
// the scripts. An error means that a script is wrong.
func Store(until time.Time, messages int) ([]messaging.Record, error) {
	p := &player{until: until.Truncate(time.Millisecond), random: newRandom()}
	for _, name := range []string{"company", "family"} {
		conversations, err := read(name)
		if err != nil {
			return nil, err
		}
		for _, c := range conversations {
			if err := p.play(c, moment{}); err != nil {
				return nil, err
			}
		}
	}
	if err := p.playCustomers(messages); err != nil {
		return nil, err
	}
	return p.records(), nil
}

// newRandom returns a generator with a fixed seed.
func newRandom() *rand.Rand { return rand.New(rand.NewPCG(1961, 2017)) }

func read(name string) ([]conversation, error) {
	text, err := scripts.ReadFile("scripts/" + name + ".txt")
	if err != nil {
		return nil, err
	}
	conversations, err := parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s.txt: %w", name, err)
	}
	return conversations, nil
}

// playCustomers lets customers write to the shop until there are that many messages.
func (p *player) playCustomers(messages int) error {
	conversations, err := read("customers")
	if err != nil {
		return err
	}
	namesakes := map[string]int{}
	for i := 0; len(p.messages) < messages; i++ {
		c := conversations[p.random.IntN(len(conversations))]
		if i < len(conversations) {
			c = conversations[i] // each one once before any is repeated
		}
		name := c.names[p.random.IntN(len(c.names))]
		if namesakes[name]++; namesakes[name] > 1 {
			name += strconv.Itoa(namesakes[name])
		}
		c = c.forCustomer(name, 3000+7*i+p.random.IntN(7), p.random)
		start := moment{days: 3 + p.random.IntN(27), clock: 8*time.Hour + time.Duration(p.random.IntN(10*60))*time.Minute}
		if i < 100 && i%9 == 4 { // some wrote within the last three hours
			start = moment{before: time.Duration(10+p.random.IntN(160)) * time.Minute}
		} else if p.random.IntN(6) > 0 {
			c.acts = append(c.acts, act{user: shop, verb: reads})
		}
		if rest := messages - len(p.messages); c.messages() > rest {
			c = c.first(rest)
		}
		if err := p.play(c, start); err != nil {
			return err
		}
	}
	return nil
}

// forCustomer returns the conversation with a customer in place of the first user, about an order,
// with its placeholders filled in.
func (c conversation) forCustomer(customer string, order int, random *rand.Rand) conversation {
	words := []string{"{order}", strconv.Itoa(order)}
	mine := conversation{users: []string{customer, shop}}
	for _, a := range c.acts {
		if a.verb == chooses {
			words = append(words, "{"+a.user+"}", a.words[random.IntN(len(a.words))])
			continue
		}
		if a.user != shop {
			a.user = customer
		}
		replace := strings.NewReplacer(words...)
		a.text, a.metadata = replace.Replace(a.text), replace.Replace(a.metadata)
		mine.acts = append(mine.acts, a)
	}
	return mine
}

func (c conversation) messages() (n int) {
	for _, a := range c.acts {
		if a.text != "" {
			n++
		}
	}
	return n
}

// first returns the conversation up to its nth message.
func (c conversation) first(n int) conversation {
	for i, a := range c.acts {
		if a.text == "" {
			continue
		}
		if n--; n == 0 {
			c.acts = c.acts[:i+1]
			break
		}
	}
	return c
}

// records returns the collected records in the order of an export.
func (p *player) records() []messaging.Record {
	slices.SortFunc(p.messages, func(a, b messaging.StoredMessage) int { return a.ID.Compare(b.ID) })
	slices.SortFunc(p.markers, func(a, b messaging.ReadMarker) int {
		return cmp.Or(cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Peer, b.Peer))
	})
	slices.SortFunc(p.blocks, func(a, b messaging.Block) int {
		return cmp.Or(cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Peer, b.Peer))
	})
	slices.SortFunc(p.memberships, func(a, b roster.Membership) int { return cmp.Compare(a.User, b.User) })
	var records []messaging.Record
	for i := range p.messages {
		records = append(records, messaging.Record{Message: &p.messages[i]})
	}
	for i := range p.markers {
		records = append(records, messaging.Record{ReadMarker: &p.markers[i]})
	}
	for i := range p.blocks {
		records = append(records, messaging.Record{Block: &p.blocks[i]})
	}
	for i := range p.groups {
		records = append(records, messaging.Record{Group: &p.groups[i]})
		for j := range p.memberships {
			if m := &p.memberships[j]; m.Group == p.groups[i].Address {
				records = append(records, messaging.Record{Membership: m})
			}
		}
	}
	return records
}
