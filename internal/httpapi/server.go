package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/contract"
	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/httpapi/problem"
	"github.com/message-service/message-service/internal/messaging"
)

// Server answers HTTP requests.
type Server struct {
	log        *slog.Logger
	echo       *echo.Echo
	operations map[string]map[string]*operation // by route and method
	publicURL  string                           // "" if it is not known
	draining   atomic.Bool
	problems   problem.Writer
	compress   bool
}

// Options adjusts a [Server].
type Options struct {
	// AllowUnauthenticated answers requests for any host, and those that come through
	// a proxy. Without it the server answers only this machine: requests for localhost
	// or an address of it, which nobody says to have passed on.
	AllowUnauthenticated bool

	// PublicURL is the origin by which clients reach the server, if they do so by another name or
	// port than it sees, as through a proxy. See [CheckOrigin].
	PublicURL string

	// Console serves the console at /console/, and leads there from /, which else leads to the
	// documentation.
	Console bool

	// CORSOrigins are other origins whose web pages may use the server. See [CheckOrigin].
	CORSOrigins []string

	// Compress compresses large answers for clients that ask for it.
	Compress bool

	// Version is that of the program, and Connections returns how many connections clients have,
	// and may have: the server shows them.
	Version     string
	Connections func() (open, most int)
}

// New makes the HTTP server of a service and the hub of its feeds. It fails only if the contract that is
// compiled into the program asks for something that the server does not know.
func New(service *messaging.Service, hub *feed.Hub, log *slog.Logger, options Options) (*Server, error) {
	document := contract.Document()
	operations, err := newOperations(document, queues{"send-queue": service.Admit})
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	s := &Server{
		log: log, echo: echo.New(), operations: operations, problems: problem.NewWriter(document),
		publicURL: options.PublicURL, compress: options.Compress,
	}
	s.echo.HTTPErrorHandler = s.handleError
	s.echo.IPExtractor = echo.ExtractIPDirect() // X-Forwarded-For can be forged by anyone
	s.echo.Use(s.middleware(document, options)...)
	server.RegisterHandlers(s.echo, server.NewStrictHandler(&handlers{
		service:     service,
		feed:        hub,
		log:         log,
		draining:    &s.draining,
		answers:     newAnswers(),
		version:     options.Version,
		connections: options.Connections,
	}, []server.StrictMiddlewareFunc{s.withExchange}))
	if err := s.serveConsole(options.Console); err != nil {
		return nil, err
	}
	return s, s.serveDocumentation(document, options.Console)
}

// ServeHTTP answers one request. HEAD is answered like GET; net/http leaves out the
// body (RFC 9110, 9.3.2).
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		r = r.WithContext(context.WithValue(r.Context(), headKey{}, true))
		r.Method = http.MethodGet
	}
	s.echo.ServeHTTP(w, r)
}

type headKey struct{}

// isHead reports whether a body would be left out, so that none needs to be made.
func isHead(ctx context.Context) bool { return ctx.Value(headKey{}) != nil }

// Drain makes the server report that it is not ready, so that load balancers stop
// sending requests. It goes on answering them.
func (s *Server) Drain() { s.draining.Store(true) }
