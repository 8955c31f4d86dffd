package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"

	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/contract"
	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/httpapi/problem"
	"github.com/message-service/message-service/internal/identity"
	"github.com/message-service/message-service/internal/messaging"
)

// Server is the HTTP handler of the API, its documentation and the console.
type Server struct {
	log        *slog.Logger
	echo       *echo.Echo
	operations map[string]map[string]*operation // by Echo's route and method
	publicURL  string                           // "" if it is not known
	draining   atomic.Bool
	problems   problem.Writer
	compress   bool

	authenticates bool
	identity      *identity.Service
	rates         *rates
}

// Options adjusts a [Server].
type Options struct {
	// Authenticate requires a credential for every request but those that the contract makes public.
	Authenticate bool

	// AllowUnauthenticated serves requests with any Host, and those forwarded by a proxy, although
	// Authenticate is off. Without either the server serves only this machine: requests to localhost or to
	// one of its IP addresses.
	AllowUnauthenticated bool

	// TrustedProxies are the addresses of proxies whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix

	// RateLimits apply to authenticated requests.
	RateLimits RateLimits

	// PublicURL is the origin by which clients reach the server, if it differs from the one that
	// requests show, as behind a proxy. See [CheckOrigin].
	PublicURL string

	// Console serves the console at /console/ and redirects / to it instead of the documentation.
	Console bool

	// CORSOrigins are other origins whose web pages may use the API. See [CheckOrigin].
	CORSOrigins []string

	// Compress compresses large responses for clients that accept gzip.
	Compress bool

	// Version and the numbers of client connections, open and at most, are shown by GET /v1/status.
	Version     string
	Connections func() (open, most int)
}

// New makes a server. It fails only if the embedded contract has an x- member or a kind of parameter
// that the server does not support.
func New(service *messaging.Service, hub *feed.Hub, who *identity.Service, log *slog.Logger, options Options) (*Server, error) {
	document := contract.Document()
	operations, err := newOperations(document, queues{"send-queue": service.Admit})
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	limits := options.RateLimits
	if !options.Authenticate { // who is not known cannot be limited
		limits = RateLimits{}
	}
	s := &Server{
		log: log, echo: echo.New(), operations: operations, problems: problem.NewWriter(document),
		publicURL: options.PublicURL, compress: options.Compress,
		authenticates: options.Authenticate, identity: who, rates: newRates(limits),
	}
	s.echo.HTTPErrorHandler = s.handleError
	s.echo.IPExtractor = clientAddress(options.TrustedProxies)
	s.echo.Use(s.middleware(document, options)...)
	server.RegisterHandlers(s.echo, server.NewStrictHandler(&handlers{
		service:     service,
		feed:        hub,
		identity:    who,
		log:         log,
		draining:    &s.draining,
		memory:      newMemoryBudget(),
		rateLimits:  limits.list(),
		version:     options.Version,
		connections: options.Connections,
	}, []server.StrictMiddlewareFunc{liftTimeouts}))
	s.serveConsole(options.Console)
	s.serveDocumentation(options.Console, options.Authenticate)
	return s, nil
}

// ServeHTTP answers one request. HEAD is handled as GET, of which net/http leaves out the body
// (RFC 9110, 9.3.2).
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		r = r.WithContext(context.WithValue(r.Context(), headKey{}, true))
		r.Method = http.MethodGet
	}
	s.echo.ServeHTTP(w, r)
}

type headKey struct{}

// isHead reports whether the request is a HEAD request, so that a handler need not make a body.
func isHead(ctx context.Context) bool { return ctx.Value(headKey{}) != nil }

// Drain makes /ready answer 503, so that load balancers stop sending requests. Other requests are still
// served.
func (s *Server) Drain() { s.draining.Store(true) }
