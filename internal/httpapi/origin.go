package httpapi

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/labstack/echo/v4"
)

// CheckOrigin returns what is wrong with an origin (RFC 6454), unless it is written as browsers
// write theirs, so that it can be compared with an Origin header.
func CheckOrigin(origin string) error {
	address, err := url.Parse(origin)
	switch {
	case err != nil || address.Scheme != "http" && address.Scheme != "https" || address.Host == "":
		return errors.New("must be http:// or https://, and a host")
	case strings.ToLower(origin) != origin:
		return errors.New("must be in lower case")
	case address.Scheme+"://"+address.Host != origin:
		return errors.New("must have nothing but a scheme, a host and a port: no path, no / at its end, no user")
	case address.Scheme == "http" && address.Port() == "80" || address.Scheme == "https" && address.Port() == "443":
		return errors.New("must leave out :" + address.Port() + ", as browsers do")
	case !isHost(address.Host):
		return errors.New("must have the name of one host, or an IP address, and a port if it is another than usual; no *")
	}
	return nil
}

// hostName is a name in the Domain Name System, or of a machine or a container. One that ends
// in a number is taken for an IPv4 address by browsers.
var (
	hostName = regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)*$`)
	number   = regexp.MustCompile(`(^|\.)(\d+|0x[0-9a-f]*)$`)
)

// isHost reports whether a host, with a port if need be, is written as browsers write it in
// an origin.
func isHost(host string) bool {
	name, ok := withoutPort(host)
	if !ok || strings.HasPrefix(strings.TrimPrefix(host, name), ":0") {
		return false
	}
	if bare, bracketed := strings.CutPrefix(name, "["); bracketed {
		bare, bracketed = strings.CutSuffix(bare, "]")
		address, err := netip.ParseAddr(bare)
		return bracketed && err == nil && address.Is6() && address.Zone() == "" && !address.Is4In6() && address.String() == bare
	}
	if number.MatchString(name) {
		address, err := netip.ParseAddr(name)
		return err == nil && address.Is4()
	}
	return hostName.MatchString(name)
}

// ownOrigin is the origin by which a request has reached the server, or "" if the host is none
// of which an origin can be made. The request has passed refuseCaller, so that a header of a
// proxy is there only where the server may be behind one. Whoever sends a false one misleads
// nobody else: what is made of it is not kept by caches.
func ownOrigin(r *http.Request) string {
	host, scheme := strings.ToLower(r.Host), "http"
	if r.TLS != nil || r.Header.Get(echo.HeaderXForwardedProto) == "https" {
		scheme = "https"
	}
	if !isHost(host) {
		return ""
	}
	return scheme + "://" + host
}
