// Package words says which words a text has and which texts a query finds, in any script, by one set of
// rules for both. docs/guides/search.md explains them and has a table of examples, which is a test.
//
// A text becomes folded code points (fold.go, classes.go), these become units (scan.go), and units
// become the words of an index ([Of]) or are compared with those of a query ([Query.Match]). Units of
// scripts without spaces between words are single characters, and their words in the index are
// overlapping pairs of them; of all others, unit and word are the same.
package words
