// Package httpapi is the HTTP edge: it implements the interface that is generated
// from the contract, and is the only package that knows of it and of Echo.
//
// A request passes the middleware, in the order that its list gives with the reasons, the generated
// code that decodes it, and a method of handlers, which parses, makes one call to the product and
// wraps the answer: package contract turns requests into what the product takes, and what it returns
// into JSON. Package openapi checks requests against the contract. Whatever goes wrong on
// the way is returned as an error and becomes a problem document in one place, handleError; package
// problem knows how those look.
//
// To add an operation: describe it in api/openapi.yaml, run "make generate", and
// the compiler reports that handlers lacks a method. Write it in the file of its
// resource, with the use case in the file of the same name in package messaging.
// Lengths, patterns and required members are checked before the method is called;
// a rule that a schema cannot express belongs to the use case. What the edge does differently for
// an operation, such as to lift time limits, stands at the operation in the contract, which explains
// these x- members above its paths; newOperation reads them.
package httpapi
