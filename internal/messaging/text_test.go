package messaging

import (
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/message-service/message-service/api"
)

// TestVisible compares the contract's pattern for visible text with isVisible: within the Basic
// Multilingual Plane they must agree.
func TestVisible(t *testing.T) {
	t.Parallel()
	document, err := openapi3.NewLoader().LoadFromData(api.Document)
	if err != nil {
		t.Fatal(err)
	}
	schema := document.Components.Schemas["MessageText"].Value
	invisible := 0
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		visible := isVisible(r)
		if !visible {
			invisible++
		}
		want := visible || r > 0xFFFF
		if got := schema.VisitJSON(string(r)) == nil; got != want {
			t.Errorf("%U: the contract takes it: %t; visible: %t", r, got, visible)
		}
	}
	// Unicode 15: 25 of White_Space, 4,174 of Default_Ignorable_Code_Point, and U+2800.
	if invisible != 25+4174+1 {
		t.Errorf("%d characters are invisible", invisible)
	}
}
