//go:build unix

package app

import (
	"math"
	"syscall"
)

// openFilesLimit is RLIMIT_NOFILE, the limit of open files and connections of this process. The Go runtime
// raised the soft limit to the hard one when the process began.
func openFilesLimit() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxInt32
	}
	return uint64(limit.Cur) //nolint:unconvert // it is signed on FreeBSD
}
