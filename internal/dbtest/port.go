package dbtest

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// FreePort returns a port of the loopback address on which nothing listens. It is below the ports that systems choose for
// connections and for listeners on port 0, so that none of those takes it before the server of a test listens on it.
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
