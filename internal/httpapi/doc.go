// Package httpapi is the HTTP edge: it implements the server interface generated from the contract,
// and is the only package that imports Echo.
//
// A request passes the middleware, whose order [Server.middleware] explains, the generated code that
// decodes it, and a method of handlers, which makes one call to package messaging. Package identity says
// who makes it. Package contract converts requests to the types of messaging, and its results to JSON.
// Package openapi validates requests against the contract. Every error is returned and becomes a problem
// document in one place, handleError; package problem writes it.
//
// To add an operation: describe it in api/openapi.yaml, run "make generate", and
// the compiler reports that handlers lacks a method. Write it in the file of its
// resource, with the use case in the file of the same name in package messaging.
// Lengths, patterns and required members are checked before the method is called;
// a rule that a schema cannot express belongs to the use case. Who may call an operation, which rate limit
// it counts for, and whether it has timeouts, admission control or another log level is declared at the
// operation by x- members, which the contract explains above its paths; newOperation reads them.
package httpapi
