// Package openapi validates HTTP requests against an OpenAPI document, strictly: it also refuses what
// other decoders accept or ignore, such as a duplicate member or an unknown parameter. A violation is
// returned as a problem that lists every field at fault.
//
// kin-openapi validates the schemas; this package decodes bodies, decides what is malformed (400) and
// what violates a schema (422), and words the errors.
package openapi
