// Package api holds the contract of the service. openapi.yaml is the single
// source of truth: the server interface, the Go client and the documentation are
// generated from it, and requests are validated against it. Edit the document,
// run "make generate", and let the compiler name what is missing.
package api

import _ "embed"

//go:generate go tool -modfile=../.tools/go/go.mod oapi-codegen -config server.yaml openapi.yaml
//go:generate go tool -modfile=../.tools/go/go.mod oapi-codegen -config client.yaml openapi.yaml
//go:generate go run json.go

// Document is openapi.yaml, byte for byte.
//
//go:embed openapi.yaml
var Document []byte

// JSON is the same as compact JSON.
//
//go:embed openapi.json
var JSON []byte

// Rules is JSON without descriptions and examples. A server parses it when it starts, in less time and memory.
//
//go:embed rules.json
var Rules []byte
