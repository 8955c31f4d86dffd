package demo

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// conversation is the acts of two users, or of the members of a group, in order.
type conversation struct {
	group string   // its address, or empty
	title string   // the name of the group
	users []string // of a group its first members, the owner first
	names []string // to choose the first user from
	acts  []act
}

// act is one line of a script: a message, or another action of a user.
type act struct {
	at       moment
	user     string
	verb     verb
	other    string // whom the user blocks or adds
	label    string // for replies to this message
	replyTo  string // the label of an earlier message
	text     string
	metadata string   // a JSON object, or empty
	words    []string // to choose from, if the verb is chooses
}

type verb string

const (
	sends   verb = "sends"
	edits   verb = "edited"  // sends, and edits soon afterwards
	deletes verb = "deleted" // sends, and deletes soon afterwards
	reads   verb = "reads"
	blocks  verb = "blocks"
	adds    verb = "adds"    // a member to the group
	chooses verb = "chooses" // no action: user is the name of a placeholder, whose value is one of words
)

// moment is when an act happens. The zero value is soon after the act before.
type moment struct {
	days   int           // days before the end, if not 0
	clock  time.Duration // since midnight of that day
	before time.Duration // before the end, if not 0
	later  time.Duration // after the act before, if not 0
}

var (
	pairPattern    = regexp.MustCompile(`^== (\S+) & (\S+)$`)
	groupPattern   = regexp.MustCompile(`^== (~\S+) "(.+)": (.+)$`)
	dayPattern     = regexp.MustCompile(`^@ (\d+)d (\d\d):(\d\d)$`)
	beforePattern  = regexp.MustCompile(`^@ (\d+m)$`)
	laterPattern   = regexp.MustCompile(`^@ \+(\d+[hm])$`)
	messagePattern = regexp.MustCompile(`^(\S+)(?: #(\w+))?(?: >(\w+))?(?: !(edited|deleted))?: (.+)$`)
	verbPattern    = regexp.MustCompile(`^\* (\S+) (?:(reads)|(blocks|adds) (\S+))$`)
	wordPattern    = regexp.MustCompile(`^= (\w+): (.+)$`)
)

// parse reads the conversations of a script.
func parse(script string) ([]conversation, error) {
	var p parser
	for i, line := range strings.Split(script, "\n") {
		if err := p.line(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return p.conversations, nil
}

type parser struct {
	conversations []conversation
	names         []string // of the next conversation
	next          moment   // of the next act
	empty         bool     // the line before was empty
}

func (p *parser) line(line string) error {
	if pair := pairPattern.FindStringSubmatch(line); pair != nil {
		p.conversations = append(p.conversations, conversation{users: pair[1:], names: p.names})
		return nil
	}
	if group := groupPattern.FindStringSubmatch(line); group != nil {
		p.conversations = append(p.conversations, conversation{group: group[1], title: group[2], users: strings.Split(group[3], " & ")})
		return nil
	}
	if names, ok := strings.CutPrefix(line, "~ "); ok {
		p.names = strings.Split(names, " | ")
		return nil
	}
	if line == "" || strings.HasPrefix(line, "# ") {
		p.empty = true
		return nil
	}
	if len(p.conversations) == 0 {
		return errors.New("there is no conversation yet")
	}
	c := &p.conversations[len(p.conversations)-1]
	if text, ok := strings.CutPrefix(line, "  "); ok {
		return p.extend(c, text)
	}
	p.empty = false
	if when, ok, err := parseMoment(line); ok {
		p.next = when
		return err
	}
	next, ok := parseAct(line)
	switch {
	case !ok:
		return errors.New("not a line of a script")
	case next.verb != chooses && !slices.Contains(c.users, next.user) && !c.isAdded(next.user):
		return fmt.Errorf("%s is not in this conversation", next.user)
	case next.verb == adds && c.group == "":
		return errors.New("only groups can be added to")
	}
	next.at, p.next = p.next, moment{}
	c.acts = append(c.acts, next)
	return nil
}

// parseAct reads who does what.
func parseAct(line string) (next act, ok bool) {
	next.verb = sends
	if found := verbPattern.FindStringSubmatch(line); found != nil {
		next.user, next.verb, next.other = found[1], verb(found[2]+found[3]), found[4]
	} else if found := wordPattern.FindStringSubmatch(line); found != nil {
		next.user, next.verb, next.words = found[1], chooses, strings.Split(found[2], " | ")
	} else if found := messagePattern.FindStringSubmatch(line); found != nil {
		next.user, next.label, next.replyTo, next.text = found[1], found[2], found[3], found[5]
		if found[4] != "" {
			next.verb = verb(found[4])
		}
	} else {
		return act{}, false
	}
	return next, true
}

// isAdded reports whether a user was added to the group.
func (c *conversation) isAdded(user string) bool {
	return slices.ContainsFunc(c.acts, func(a act) bool { return a.verb == adds && a.other == user })
}

// extend adds a line to the text of the last message, or sets its metadata.
func (p *parser) extend(c *conversation, text string) error {
	if len(c.acts) == 0 || c.acts[len(c.acts)-1].text == "" {
		return errors.New("there is no message to continue")
	}
	last := &c.acts[len(c.acts)-1]
	switch {
	case strings.HasPrefix(text, "{"):
		last.metadata = text
	case p.empty:
		last.text += "\n\n" + text
	default:
		last.text += "\n" + text
	}
	p.empty = false
	return nil
}

func parseMoment(line string) (when moment, ok bool, err error) {
	if found := dayPattern.FindStringSubmatch(line); found != nil {
		when.days, err = strconv.Atoi(found[1])
		if err == nil {
			when.clock, err = time.ParseDuration(found[2] + "h" + found[3] + "m")
		}
		return when, true, err
	}
	if found := beforePattern.FindStringSubmatch(line); found != nil {
		when.before, err = time.ParseDuration(found[1])
		return when, true, err
	}
	if found := laterPattern.FindStringSubmatch(line); found != nil {
		when.later, err = time.ParseDuration(found[1])
		return when, true, err
	}
	return moment{}, false, nil
}
