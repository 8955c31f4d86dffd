//go:build ignore

// This program writes openapi.json, which is openapi.yaml as JSON.
package main

import (
	"log"
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
}
