// Package openapi checks HTTP requests against an OpenAPI document, strictly: what a schema does
// not allow is refused, and so is what decoders disagree about, such as a member given twice or a
// parameter that the operation does not have. What is wrong is returned as a problem that names
// every place at fault.
//
// The rules are those of kin-openapi; this package decodes bodies, decides what counts as
// malformed (400) and what as breaking a rule (422), and words it.
package openapi
