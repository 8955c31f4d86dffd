package words

import "unicode"

// class says what a folded code point does to the words around it. Those from firstPair on are one for
// each script that writes words without spaces between; their words are pairs of characters.
type class uint8

const (
	nothing   class = iota // where a text ends, or between two words that touch
	separator              // of two words
	space                  // of two phrases, too
	ignored
	several
	accent // a mark where it makes another letter of the one before it, otherwise ignored
	mark   // extends the character before it
	letter
	digit
	symbol   // a word by itself
	regional // two are a flag
	firstPair
)

var pairScripts = [][]*unicode.RangeTable{
	{unicode.Han}, {unicode.Hiragana, unicode.Katakana}, {unicode.Hangul}, {unicode.Thai}, {unicode.Lao},
	{unicode.Khmer}, {unicode.Myanmar}, {unicode.Bopomofo}, {unicode.Yi}, {unicode.Tai_Le},
	{unicode.New_Tai_Lue}, {unicode.Tai_Tham}, {unicode.Tai_Viet}, {unicode.Ahom}, {unicode.Javanese},
	{unicode.Balinese}, {unicode.Tangut}, {unicode.Nushu},
}

// droppedMarks are the scripts whose marks are pronunciation or stress; readers do without, and so do
// those who type. Marks of other scripts are vowels.
var droppedMarks = []*unicode.RangeTable{
	unicode.Inherited, unicode.Common, unicode.Latin, unicode.Greek, unicode.Coptic, unicode.Cyrillic,
	unicode.Glagolitic, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Samaritan, unicode.Ethiopic,
}

func classOf(r rune) class {
	if isIgnorable(r) {
		return ignored
	}
	switch {
	case unicode.Is(unicode.M, r):
		return classOfMark(r)
	case unicode.Is(unicode.Nd, r):
		return digit
	case r >= 0x2B9 && r <= 0x2BF: // apostrophes that Unicode calls letters; ŉ folds to one and n
		return separator
	case unicode.In(r, unicode.L, unicode.N):
		return classOfLetter(r)
	case r >= 0x1F1E6 && r <= 0x1F1FF:
		return regional
	case r == unicode.ReplacementChar:
		return separator
	case r >= 0x2190 && unicode.In(r, unicode.So, unicode.Sm), unicode.Is(unicode.Co, r):
		return symbol
	case !unicode.In(r, unicode.P, unicode.S, unicode.Z, unicode.C):
		return symbol // of a Unicode newer than our tables
	}
	return separator
}

func classOfMark(r rune) class {
	switch {
	case isVoicing(r):
		return mark
	case isAccent(r):
		return accent
	case r == '\u093C' || unicode.In(r, droppedMarks...): // nukta
		return ignored
	}
	return mark
}

func classOfLetter(r rune) class {
	if r == 'ー' { // of both kinds of Kana, so Unicode gives it no script
		r = 'ア'
	}
	for i, script := range pairScripts {
		if unicode.In(r, script...) {
			return firstPair + class(i)
		}
	}
	return letter
}

// isIgnorable reports whether a code point says nothing of which word it is in: it is not seen
// (Default_Ignorable_Code_Point of Unicode), is the lengthening of Arabic, a skin tone, or a mark of stress
// or of questions in Armenian.
func isIgnorable(r rune) bool {
	switch {
	case r == 'ـ', r >= 0x1F3FB && r <= 0x1F3FF, r == '՛', r == '՜', r == '՞':
		return true
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r), r >= 0xFFF9 && r <= 0xFFFB, r >= 0x13430 && r <= 0x13440:
		return false
	}
	return unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// accents are the marks that make another letter in Cyrillic: й, ў, ї, ќ and ѓ. Stress, and the dots of
// ё, are not typed by all.
var accents = map[rune]rune{'и': '\u0306', 'у': '\u0306', 'і': '\u0308', 'к': '\u0301', 'г': '\u0301'}

func classOfAccent(base, r rune) class {
	if accents[base] == r {
		return mark
	}
	return ignored
}

// sameLetters are those that people type for one another, and that Unicode does not unite.
var sameLetters = map[rune]string{
	'ı': "i", 'ł': "l", 'ø': "o", 'đ': "d", 'ħ': "h", 'ŧ': "t", 'ð': "d", 'þ': "th", 'æ': "ae", 'œ': "oe",
	'ى': "ي", 'ی': "ي", 'ک': "ك", 'ة': "ه", 'ہ': "ه", 'ە': "ه",
	'ँ': "ं",
	'ൺ': "ണ്", 'ൻ': "ന്", 'ർ': "ര്", 'ൽ': "ല്", 'ൾ': "ള്", 'ൿ': "ക്", // once written so
}

func isAccent(r rune) bool  { return r == '\u0301' || r == '\u0306' || r == '\u0308' }
func isVoicing(r rune) bool { return r == '\u3099' || r == '\u309A' } // of Kana

// isJamo reports whether a code point is a vowel or a final consonant of Hangul, of which a syllable may be
// written as two or three code points.
func isJamo(r rune) bool {
	return r > 0x1160 && r <= 0x11FF || r >= 0xD7B0 && r <= 0xD7FF
}
