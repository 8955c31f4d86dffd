package contract

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/message-service/message-service/api"
)

// TestDocument compares openapi.json with openapi.yaml.
func TestDocument(t *testing.T) {
	t.Parallel()
	document, err := openapi3.NewLoader().LoadFromData(api.Document)
	if err != nil {
		t.Fatal(err)
	}
	want, err := document.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(api.JSON, want) {
		t.Error(`openapi.json is not openapi.yaml: run "make generate"`)
	}
}

// TestRules checks that rules.json, which the server reads, has all of openapi.json but texts and examples.
func TestRules(t *testing.T) {
	t.Parallel()
	var document, rules any
	decode(t, api.JSON, &document)
	decode(t, api.Rules, &rules)
	compareRules(t, "", document, rules)
}

func compareRules(t *testing.T, place string, want, got any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		members, _ := got.(map[string]any)
		for name, member := range want {
			_, isText := member.(string)
			isText = isText && slices.Contains([]string{"description", "summary", "title"}, name)
			isExample := slices.Contains([]string{"example", "examples"}, name) && !strings.HasSuffix(place, "/properties")
			if _, has := members[name]; has == (isText || isExample) {
				t.Errorf("%s/%s is there: %t", place, name, has)
			} else if has {
				compareRules(t, place+"/"+name, member, members[name])
			}
		}
	case []any:
		elements, _ := got.([]any)
		if len(elements) != len(want) {
			t.Fatalf("%s has %d elements, want %d", place, len(elements), len(want))
		}
		for i := range want {
			compareRules(t, fmt.Sprint(place, "/", i), want[i], elements[i])
		}
	default:
		if !reflect.DeepEqual(want, got) {
			t.Errorf("%s is %v, want %v", place, got, want)
		}
	}
}
