package httpapi

import (
	"runtime"
	"testing"

	"github.com/labstack/echo/v4"
)

// TestFilesUnread checks that a server does not read the files of its web pages before somebody wants them: what it has
// read stays in memory.
func TestFilesUnread(t *testing.T) {
	s := &Server{echo: echo.New()}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s.serveConsole(true)
	s.serveDocumentation(true, true)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 50_000 { // the smallest that is read whole has more
		t.Errorf("the server has allocated %d bytes for its pages", n)
	}
}
