// Package httpapi is the HTTP edge: it implements the interface that is generated
// from the contract, and is the only package that knows of it and of Echo. (Package
// contract, too, knows the contract's types.) Package openapi checks requests against the contract,
// and package problem writes what clients are told of errors.
//
// A request passes, in this order: a request id, the access log, panic recovery,
// the check of where it comes from, the validator, the generated handler that decodes it, and a method of handlers,
// which parses, makes one call to the product and wraps the answer. Whatever goes
// wrong on the way is returned as an error and becomes a problem document in one
// place, handleError.
//
// To add an operation: describe it in api/openapi.yaml, run "make generate", and
// the compiler reports that handlers lacks a method. Write it in the file of its
// resource, with the use case in the file of the same name in package messaging.
// Lengths, patterns and required members are checked before the method is called;
// a rule that a schema cannot express belongs to the use case.
package httpapi
