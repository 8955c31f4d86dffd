//go:build !unix

package app

import "math"

// openFilesLimit is how many files and connections this process may have open.
func openFilesLimit() uint64 { return math.MaxInt32 }
