//go:build ignore

// This program writes openapi.json, which is openapi.yaml as JSON, and rules.json, which is the same without what only
// people read.
package main

import (
	"bytes"
	"encoding/json"
	"log"
	"maps"
	"os"

	"github.com/getkin/kin-openapi/openapi3"
)

func main() {
	document, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		log.Fatal(err)
	}
	text, err := document.MarshalJSON()
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile("openapi.json", text, 0o644); err != nil {
		log.Fatal(err)
	}
	var rules any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&rules); err != nil {
		log.Fatal(err)
	}
	strip(rules)
	if text, err = json.Marshal(rules); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile("rules.json", text, 0o644); err != nil {
		log.Fatal(err)
	}
}

// strip deletes what only people read. A property of a schema may have such a name, too, but is an object.
func strip(value any) {
	switch value := value.(type) {
	case map[string]any:
		maps.DeleteFunc(value, func(name string, member any) bool {
			switch name {
			case "description", "summary", "title":
				if _, isText := member.(string); isText {
					return true
				}
			case "example", "examples":
				return true
			}
			strip(member)
			return false
		})
	case []any:
		for _, element := range value {
			strip(element)
		}
	}
}
