package httpapi

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
)

// corsMaxAge is how many seconds a browser may cache the response to a preflight; Chromium caps it there.
const corsMaxAge = "7200"

// allowOrigins lets web pages of some other origins read every response, errors included (the CORS
// protocol of the Fetch standard). The API uses no cookies, so credentials are not allowed. The methods
// and headers that pages may use are those of the contract.
func allowOrigins(origins []string, document *openapi3.T) echo.MiddlewareFunc {
	methods, sent, read := corsNames(document)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if len(origins) == 0 {
			return next
		}
		return func(c echo.Context) error {
			request, header := c.Request(), c.Response().Header()
			header.Add(echo.HeaderVary, echo.HeaderOrigin) // also without an Origin, for caches
			origin := request.Header.Get(echo.HeaderOrigin)
			if !slices.Contains(origins, origin) {
				return next(c)
			}
			header.Set(echo.HeaderAccessControlAllowOrigin, origin)
			if request.Method != http.MethodOptions || request.Header.Get(echo.HeaderAccessControlRequestMethod) == "" {
				header.Set(echo.HeaderAccessControlExposeHeaders, read)
				return next(c)
			}
			header.Set(echo.HeaderAccessControlAllowMethods, methods)
			header.Set(echo.HeaderAccessControlAllowHeaders, sent)
			header.Set(echo.HeaderAccessControlMaxAge, corsMaxAge)
			return c.NoContent(http.StatusNoContent)
		}
	}
}

// corsNames lists the methods of a contract, its request headers and its response headers.
// Authorization is named, since * does not cover it.
func corsNames(document *openapi3.T) (methods, sent, read string) {
	verbs := map[string]bool{http.MethodHead: true}
	requests := map[string]bool{echo.HeaderAuthorization: true, echo.HeaderContentType: true, "X-Request-Id": true}
	answers := map[string]bool{echo.HeaderAllow: true, "X-Request-Id": true}
	for _, item := range document.Paths.Map() {
		for method, operation := range item.Operations() {
			verbs[method] = true
			for _, p := range slices.Concat(item.Parameters, operation.Parameters) {
				if p.Value.In == openapi3.ParameterInHeader {
					requests[p.Value.Name] = true
				}
			}
			for _, response := range operation.Responses.Map() {
				for name := range response.Value.Headers {
					answers[name] = true
				}
			}
		}
	}
	list := func(names map[string]bool) string { return strings.Join(slices.Sorted(maps.Keys(names)), ", ") }
	return list(verbs), list(requests), list(answers)
}
