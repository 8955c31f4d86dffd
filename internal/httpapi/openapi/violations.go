package openapi

import "github.com/message-service/message-service/internal/httpapi/problem"

// maxUnknown is how many members and how many parameters are reported that an operation does not have.
const maxUnknown = 32

// violations collects what is wrong with a request.
type violations struct {
	malformed bool // answered with 400 rather than 422
	fields    []problem.Field
}

func (v *violations) add(malformed bool, fields ...problem.Field) {
	v.malformed = v.malformed || malformed
	v.fields = append(v.fields, fields...)
}

// problem returns nil when there are no violations.
func (v *violations) problem() error {
	switch {
	case len(v.fields) == 0:
		return nil
	case v.malformed:
		return &problem.Error{Kind: problem.BadRequest, Detail: "The request has a parameter that cannot be understood; see errors.", Fields: v.fields}
	default:
		return &problem.Error{Kind: problem.UnprocessableContent, Detail: "The request breaks a rule of its schema; see errors.", Fields: v.fields}
	}
}
