package httpapi

import (
	"net/http"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/console"
)

// serveConsole serves the console, if it is on. It redirects / to the console or else to the
// documentation.
func (s *Server) serveConsole(on bool) {
	if !on {
		s.echo.GET("/", redirectTo("/docs/"))
		return
	}
	load := sync.OnceValues(console.Load) // not before somebody wants it
	s.echo.GET("/", redirectTo("/console/"))
	s.echo.GET("/console", redirectTo("/console/"))
	s.echo.GET("/console/*", func(c echo.Context) error {
		files, err := load()
		if err != nil {
			return err
		}
		path := c.Param("*")
		if !files.Has(path) {
			return echo.ErrNotFound
		}
		files.Serve(c.Response(), c.Request(), path)
		return nil
	})
}

// redirectTo redirects to another path of this server.
func redirectTo(path string) echo.HandlerFunc {
	return func(c echo.Context) error { return c.Redirect(http.StatusFound, path) }
}
