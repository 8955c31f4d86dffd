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

// CheckOrigin returns an error unless an origin (RFC 6454) is written exactly as browsers write it in
// an Origin header, so that the two can be compared as strings.
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

// hostName is a DNS name, or the name of a machine or container. Browsers parse a name whose last label
// is a number as an IPv4 address.
var (
	hostName = regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)*$`)
	number   = regexp.MustCompile(`(^|\.)(\d+|0x[0-9a-f]*)$`)
)

// isHost reports whether a host, with or without a port, is written as browsers write it in an origin.
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

// ownOrigin is the origin by which a request reached the server, or "" if its Host makes no valid
// origin. X-Forwarded-Proto is trusted: refuseCaller lets it pass only if a proxy is allowed, and a
// client that forges it affects only its own response, which is not cached.
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
