// Package contract is the OpenAPI document in Go, and converts between its types and those of
// package messaging: requests to drafts, edits and queries, and results to JSON. Each type has one
// function that writes its JSON, for single answers, pages, streams and exports alike.
package contract
