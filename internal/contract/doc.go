// Package contract is the contract in Go: the document, and what stands between its types and
// those of the product. A request becomes a draft, an edit or a query; what the product returns
// becomes JSON. Each thing has one function that writes it, for single answers, pages, streams
// and exports alike.
package contract
