package contract

import (
	"bytes"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/message-service/message-service/api"
)

// TestDocument compares openapi.json, which the server reads, with openapi.yaml.
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
