package dbtest

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// FreePort returns a port of the loopback address on which nothing listens. It is below those that systems give to
// connections: one of these could take it before whoever is to listen on it does.
func FreePort() (port int, err error) {
	for range 100 {
		port = 20_000 + rand.IntN(12_000)
		var listener net.Listener
		if listener, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, listener.Close()
		}
	}
	return 0, err
}
