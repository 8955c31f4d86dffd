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

// refuseCaller refuses requests by where they come from, before anything else looks at them.
//
// A server that asks nobody who they are serves this machine alone (see
// [Options.AllowUnauthenticated]), so it refuses requests for other hosts, and those that a
// proxy passed on for somebody else. Web pages of another origin are refused by every server:
// they cannot read an answer, but they could use up what a user has, such as their streams.
// Those of [Options.CORSOrigins] can read it, and are not refused.
func (s *Server) refuseCaller(options Options) echo.MiddlewareFunc {
	trusted := append(slices.Clone(options.CORSOrigins), options.PublicURL)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if !options.AllowUnauthenticated {
				if p := refuseBeyondThisMachine(c.Request()); p != nil {
					return p
				}
			}
			if isCrossSite(c.Request(), trusted) && (s.operation(c) != nil || !isTopLevelNavigation(c.Request())) {
				return crossSite
			}
			return next(c)
		}
	}
}

// ThisMachineOnly wraps what only this machine may reach, and no web page of another origin:
// it refuses requests as a server does that is not allowed to serve unauthenticated.
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
	otherHost = &problem.Error{Kind: problem.MisdirectedRequest, Detail: "This server answers as localhost or an address of this machine, and not under this host name."}
	proxied   = &problem.Error{Kind: problem.Forbidden, Detail: "This server asks nobody who they are, and so refuses what comes through a proxy, unless ALLOW_UNAUTHENTICATED=true."}
	crossSite = &problem.Error{Kind: problem.Forbidden, Detail: "This request comes from a web page of another origin."}
)

// refuseBeyondThisMachine returns why a request is not one of this machine, or nil.
func refuseBeyondThisMachine(r *http.Request) *problem.Error {
	switch {
	case !isThisMachine(r.Host):
		return otherHost
	case isProxied(r.Header):
		return proxied
	}
	return nil
}

// isThisMachine reports whether the host of a request is localhost or an address of this
// machine, with or without a port. A web page could otherwise point a name of its own at this
// machine, and would be of the same origin as the server.
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

// withoutPort takes the port off a host, and reports whether it is one, or absent.
func withoutPort(host string) (name string, ok bool) {
	colon := strings.LastIndexByte(host, ':')
	if colon < 0 || strings.HasSuffix(host, "]") {
		return host, true
	}
	port, err := strconv.ParseUint(host[colon+1:], 10, 16)
	return host[:colon], err == nil && port > 0
}

// isLocalAddress reports whether a network interface has the address. It is asked each time,
// since addresses come and go; requests for localhost do not come this far.
func isLocalAddress(address netip.Addr) bool {
	local, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(local, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr().Unmap().WithZone("") == address
	})
}

// isProxied reports whether a proxy says that it passed the request on.
func isProxied(header http.Header) bool {
	for name := range header {
		switch {
		case name == "Forwarded", name == "Via", name == echo.HeaderXRealIP, strings.HasPrefix(name, "X-Forwarded-"):
			return true
		}
	}
	return false
}

// isCrossSite reports whether a browser says that a page of another origin made the request:
// by Sec-Fetch-Site, or by Origin where the browser or the connection has no Sec-Fetch-Site.
// Programs send neither. A page of a trusted origin counts as the server's own.
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

// isTopLevelNavigation reports whether a browser follows a link in a tab of its own.
func isTopLevelNavigation(r *http.Request) bool {
	destination := r.Header.Get("Sec-Fetch-Dest") // which came later than the others
	return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" && (destination == "document" || destination == "")
}
