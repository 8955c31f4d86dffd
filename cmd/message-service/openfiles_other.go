//go:build !unix

package main

import "math"

// openFilesLimit is how many files and connections this process may have open.
func openFilesLimit() uint64 { return math.MaxInt32 }
