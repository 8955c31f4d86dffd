package httpapi

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/console"
)

// serveConsole serves the console, if it is on. It redirects / to the console or else to the
// documentation.
func (s *Server) serveConsole(on bool) error {
	if !on {
		s.echo.GET("/", redirectTo("/docs/"))
		return nil
	}
	files, err := console.Load()
	if err != nil {
		return err
	}
	s.echo.GET("/", redirectTo("/console/"))
	s.echo.GET("/console", redirectTo("/console/"))
	s.echo.GET("/console/*", func(c echo.Context) error {
		path := c.Param("*")
		if !files.Has(path) {
			return echo.ErrNotFound
		}
		files.Serve(c.Response(), c.Request(), path)
		return nil
	})
	return nil
}

// redirectTo redirects to another path of this server.
func redirectTo(path string) echo.HandlerFunc {
	return func(c echo.Context) error { return c.Redirect(http.StatusFound, path) }
}
