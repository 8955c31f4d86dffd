package httpapi

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/internal/httpapi/problem"
)

// refuseCaller refuses requests by where they come from.
//
// A server that neither asks for credentials nor has [Options.AllowUnauthenticated] serves this machine
// only: it refuses requests whose Host is another one, and requests forwarded by a proxy. Every server
// refuses cross-site requests of web pages: a page could not read the response, but it could use up a
// user's limits, such as the number of streams. Pages of [Options.CORSOrigins] are allowed.
func (s *Server) refuseCaller(options Options) echo.MiddlewareFunc {
	trusted := append(slices.Clone(options.CORSOrigins), options.PublicURL)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if !options.Authenticate && !options.AllowUnauthenticated {
				if p := refuseBeyondThisMachine(c.Request()); p != nil {
					return p
				}
			}
			if isCrossSite(c.Request(), trusted) && (exchangeIn(c).operation != nil || !isTopLevelNavigation(c.Request())) {
				return crossSite
			}
			return next(c)
		}
	}
}

// ThisMachineOnly wraps a handler that only programs on this machine may use. It refuses the same
// requests as a server without authentication.
func ThisMachineOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := refuseBeyondThisMachine(r)
		if p == nil && isCrossSite(r, nil) {
			p = crossSite
		}
		if p != nil {
			http.Error(w, p.Detail, p.Kind.Status)
			return
		}
		next.ServeHTTP(w, r)
	})
}

var (
	otherHost = &problem.Error{Kind: problem.MisdirectedRequest, Detail: "This server asks nobody who they are, and so answers only as localhost or an address of this machine: for another host name it needs AUTH=required, or ALLOW_UNAUTHENTICATED=true."}
	proxied   = &problem.Error{Kind: problem.Forbidden, Detail: "This server asks nobody who they are, and so refuses what comes through a proxy: it needs AUTH=required, or ALLOW_UNAUTHENTICATED=true."}
	crossSite = &problem.Error{Kind: problem.Forbidden, Detail: "This request comes from a web page of another origin, which is not among CORS_ORIGINS."}
)

// refuseBeyondThisMachine returns a problem if a request does not come from this machine, or nil.
func refuseBeyondThisMachine(r *http.Request) *problem.Error {
	switch {
	case !isThisMachine(r.Host):
		return otherHost
	case isProxied(r.Header):
		return proxied
	}
	return nil
}

// isThisMachine reports whether the Host of a request is localhost or an IP address of this machine,
// with or without a port. This prevents DNS rebinding: a web page whose name resolves to this machine
// would have the same origin as the server.
func isThisMachine(host string) bool {
	name, ok := withoutPort(host)
	if !ok {
		return false
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	bare, bracketed := strings.CutPrefix(name, "[")
	if bracketed {
		bare, bracketed = strings.CutSuffix(bare, "]")
	}
	address, err := netip.ParseAddr(bare)
	if err != nil || bracketed != address.Is6() || address.Zone() != "" {
		return false
	}
	return address.Unmap().IsLoopback() || isLocalAddress(address.Unmap())
}

// withoutPort cuts the port off a host. It reports whether the port is valid or absent.
func withoutPort(host string) (name string, ok bool) {
	colon := strings.LastIndexByte(host, ':')
	if colon < 0 || strings.HasSuffix(host, "]") {
		return host, true
	}
	port, err := strconv.ParseUint(host[colon+1:], 10, 16)
	return host[:colon], err == nil && port > 0
}

// isLocalAddress reports whether a network interface has the address. The list is read for every
// request, since addresses change; requests to localhost are decided before.
func isLocalAddress(address netip.Addr) bool {
	local, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(local, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr().Unmap().WithZone("") == address
	})
}

// isProxied reports whether a header shows that a proxy forwarded the request.
func isProxied(header http.Header) bool {
	for name := range header {
		switch {
		case name == "Forwarded", name == "Via", name == echo.HeaderXRealIP, strings.HasPrefix(name, "X-Forwarded-"):
			return true
		}
	}
	return false
}

// isCrossSite reports whether a web page of an origin that is not trusted made the request: by
// Sec-Fetch-Site or, as browsers send that only to trustworthy URLs, by Origin. Programs other than
// browsers send neither.
func isCrossSite(r *http.Request, trusted []string) bool {
	origin := r.Header.Get(echo.HeaderOrigin)
	if origin != "" && slices.Contains(trusted, origin) {
		return false
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site != "same-origin" && site != "none"
	}
	if origin == "" {
		return false
	}
	// Only the host is compared: behind a proxy that speaks TLS the scheme differs.
	address, err := url.Parse(origin)
	return err != nil || !strings.EqualFold(address.Host, r.Host)
}

// isTopLevelNavigation reports whether a browser opens the URL in a tab, as when a link is followed.
func isTopLevelNavigation(r *http.Request) bool {
	destination := r.Header.Get("Sec-Fetch-Dest") // older browsers do not send it
	return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" && (destination == "document" || destination == "")
}
