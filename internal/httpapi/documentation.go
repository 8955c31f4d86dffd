package httpapi

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/api"
	swaggerui "github.com/message-service/message-service/swagger-ui"
)

// serveDocumentation serves the contract, as YAML and JSON, and Swagger UI to read it with.
func (s *Server) serveDocumentation(hasConsole, authenticates bool) {
	s.serveContract("/openapi.yaml", "application/yaml", api.Document, "\n  - url: %s\n") // RFC 9512
	s.serveContract("/openapi.json", echo.MIMEApplicationJSON, api.JSON, `"url":"%s"`)
	assets := http.StripPrefix("/docs", swaggerui.Handler(hasConsole, authenticates))
	s.echo.GET("/docs", redirectTo("/docs/"))
	s.echo.GET("/docs/*", func(c echo.Context) error {
		if !swaggerui.Has(c.Param("*")) {
			return echo.ErrNotFound
		}
		assets.ServeHTTP(c.Response(), c.Request())
		return nil
	})
}

// serveContract serves the contract with the origin of this server in place of the relative server URL
// in the file, so that tools can import it. The format makes the text around a server URL.
func (s *Server) serveContract(path, mediaType string, document []byte, format string) {
	before := fmt.Appendf(nil, format, "/")
	s.echo.GET(path, func(c echo.Context) error {
		after := fmt.Appendf(nil, format, cmp.Or(s.publicURL, ownOrigin(c.Request()), "/"))
		c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
		body := compress(&exchange{header: c.Request().Header, compress: s.compress}, c.Response().Header(), bytes.Replace(document, before, after, 1))
		return c.Blob(http.StatusOK, mediaType, body)
	})
}
