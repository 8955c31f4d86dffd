package messaging

import (
	"strings"
	"unicode"
)

// checkText refuses a text without a visible character. The contract's pattern does so within the
// Basic Multilingual Plane; the regular expressions of different languages have no common syntax
// for the characters beyond it, such as tags and variation selectors.
func checkText(text string) *Error {
	if !strings.ContainsFunc(text, isVisible) {
		return invalid("text", "must not be blank")
	}
	return nil
}

// isVisible reports whether a character alone can be seen: it is neither white space, nor a
// Default_Ignorable_Code_Point (as Unicode derives it, in DerivedCoreProperties.txt), nor the
// Braille pattern without dots.
func isVisible(r rune) bool {
	if r <= unicode.MaxASCII {
		return !unicode.IsSpace(r) // controls count as visible: they do something
	}
	switch {
	case unicode.IsSpace(r), unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector), r == '\u2800':
		return false
	case unicode.Is(unicode.Cf, r):
		// Visible format characters: annotations, Egyptian controls, and signs that enclose what follows.
		return unicode.In(r, unicode.Prepended_Concatenation_Mark) || r >= '\uFFF9' && r <= '\uFFFB' || r >= 0x13430 && r <= 0x1345F
	}
	return true
}
