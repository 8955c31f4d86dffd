// Package wordstest reads the examples of docs/guides/search.md, which are the test of what a search finds.
package wordstest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Example is a text and something searched for.
type Example struct {
	Language, Text, Query string
	Found                 bool
}

var (
	row       = regexp.MustCompile("(?m)^\\| (\\w[^|`]*) \\| `([^`]+)` \\|([^|]*)\\|([^|]*)\\|$")
	code      = regexp.MustCompile("`[^`]+`")
	codePoint = regexp.MustCompile(`\\u[0-9A-F]{4}`)
)

// Examples returns those of a guide: the rows of four cells of its table, which are a language, a text,
// what finds it and what does not, each in backquotes.
func Examples(guide string) ([]Example, error) {
	var all []Example
	for _, cells := range row.FindAllStringSubmatch(guide, -1) {
		for i, found := range []bool{true, false} {
			queries := code.FindAllString(cells[3+i], -1)
			if rest := strings.TrimSpace(code.ReplaceAllString(cells[3+i], "")); rest != "" || len(queries) == 0 {
				return nil, fmt.Errorf("%s: %q is more or less than queries in backquotes", cells[1], cells[3+i])
			}
			for _, q := range queries {
				all = append(all, Example{cells[1], unescape(cells[2]), unescape(strings.Trim(q, "`")), found})
			}
		}
	}
	if lines := strings.Count(guide, "\n| "); lines != strings.Count(guide, "\n| Language")+len(row.FindAllString(guide, -1)) {
		return nil, fmt.Errorf("%d lines of tables, not all of which are examples", lines)
	}
	return all, nil
}

func unescape(s string) string {
	return codePoint.ReplaceAllStringFunc(s, func(s string) string {
		n, _ := strconv.ParseUint(s[2:], 16, 32) // four hex digits
		return string(rune(n))
	})
}
