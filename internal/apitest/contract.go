package apitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/message-service/message-service/api"
)

// Document returns the contract with its descriptions and examples, parsed once. It is read-only.
var Document = sync.OnceValue(func() *openapi3.T {
	document, err := openapi3.NewLoader().LoadFromData(api.JSON)
	if err != nil {
		panic(err) // it is embedded in the program
	}
	return document
})

// router finds the operation of a request in the contract.
var router = sync.OnceValues(func() (routers.Router, error) {
	document := *Document()
	if err := document.Validate(openapi3.NewLoader().Context); err != nil {
		return nil, err
	}
	document.Servers = nil // the test server has another URL
	return gorillamux.NewRouter(&document)
})

// checker is a transport that fails the test when a response violates the contract.
type checker struct {
	t          testing.TB
	next       http.RoundTripper
	retries    bool   // see Client.RetryUnavailable
	credential string // see Client.With
}

// RoundTrip sends the request and validates the response.
func (c *checker) RoundTrip(request *http.Request) (*http.Response, error) {
	if c.credential != "" && request.Header["Authorization"] == nil {
		request = request.Clone(request.Context()) // a RoundTripper leaves its request as it is
		request.Header.Set("Authorization", "Bearer "+c.credential)
	}
	for {
		response, err := c.send(request)
		isNotIdempotent := request.Method == http.MethodPost && request.Header.Get("Idempotency-Key") == ""
		if err != nil || response.StatusCode != http.StatusServiceUnavailable || isNotIdempotent || !c.retries {
			return response, err
		}
		if request.GetBody != nil {
			if request.Body, err = request.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}

func (c *checker) send(request *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	var body []byte
	if response.Header.Get("Content-Type") != eventStream { // Stream checks each event as it comes
		if body, err = io.ReadAll(response.Body); err != nil {
			return nil, err
		}
		if err := response.Body.Close(); err != nil {
			return nil, err
		}
		response.Body = io.NopCloser(bytes.NewReader(body))
	}
	if err := checkAnswer(request, response, body); err != nil {
		c.t.Errorf("%s %s: the answer breaks the contract: %v\n%s", request.Method, request.URL.Path, err, body)
	}
	return response, nil
}

func checkAnswer(request *http.Request, response *http.Response, body []byte) error {
	if response.Header.Get("X-Request-Id") == "" {
		return fmt.Errorf("no X-Request-Id")
	}
	router, err := router()
	if err != nil {
		return err
	}
	route, parameters, err := router.FindRoute(request)
	if err != nil {
		return nil // not part of the contract, such as /docs/
	}
	contentType := response.Header.Get("Content-Type")
	lines := contentType == "application/x-ndjson"
	if lines {
		if err := checkLines(route.Spec, body); err != nil {
			return err
		}
	}
	return openapi3filter.ValidateResponse(request.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: request, PathParams: parameters, Route: route},
		Status:                 response.StatusCode,
		Header:                 response.Header,
		Body:                   io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{
			IncludeResponseStatus:   true,
			ExcludeResponseBody:     lines || contentType == eventStream,
			SchemaValidationOptions: answerFormats,
		},
	})
}

// answerFormats validates the formats of responses. Their times follow the stricter rule that the
// description of Timestamp in the contract has.
var answerFormats = []openapi3.SchemaValidationOption{
	openapi3.EnableFormatValidation(),
	openapi3.WithStringFormatValidator("uuid", openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForUUIDOfRFC9562)),
	openapi3.WithStringFormatValidator("date-time", openapi3.NewRegexpFormatValidator(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)),
}

// checkLines checks that each line of an export is an ExportRecord, and the last one its end record.
func checkLines(document *openapi3.T, body []byte) error {
	schema := document.Components.Schemas["ExportRecord"].Value
	var record map[string]any
	for line := range bytes.Lines(body) {
		record = nil
		if err := json.Unmarshal(line, &record); err != nil {
			return err
		}
		if err := schema.VisitJSON(record, answerFormats...); err != nil {
			return err
		}
	}
	if record["type"] != "end" {
		return fmt.Errorf("the export has no end")
	}
	return nil
}
