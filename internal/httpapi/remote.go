package httpapi

import (
	"net"
	"net/netip"

	"github.com/labstack/echo/v4"
)

// clientAddress returns how the address of a client is found: it is the rightmost address of
// X-Forwarded-For that is not a trusted proxy's, if the connection comes from a trusted proxy, and
// otherwise that of the connection, since anyone can forge the header.
func clientAddress(trusted []netip.Prefix) echo.IPExtractor {
	if len(trusted) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, proxies := range trusted {
		options = append(options, echo.TrustIPRange(&net.IPNet{
			IP: proxies.Addr().AsSlice(), Mask: net.CIDRMask(proxies.Bits(), proxies.Addr().BitLen()),
		}))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}
