package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// connection is a kept-alive connection to the server, one request at a time. Requests are written as
// they are and answers read by fasthttp, since every cycle it takes is one that the server, on the same
// cores, does not get: the client of net/http takes twice as many.
type connection struct {
	net.Conn

	reader *bufio.Reader
	answer fasthttp.Response
}

// do sends a request and reads the answer, which the next one overwrites.
func (c *connection) do(request []byte) (*fasthttp.Response, error) {
	if _, err := c.Write(request); err != nil {
		return nil, err
	}
	return &c.answer, c.answer.Read(c.reader)
}

// dialAll makes connections, to be closed with closeAll. Everything on them must happen within the given time.
func dialAll(ctx context.Context, address string, n int, within time.Duration) (connections []*connection, err error) {
	for range n {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			closeAll(connections)
			return nil, fmt.Errorf("connect to the server: %w", err)
		}
		_ = conn.SetDeadline(time.Now().Add(within)) // fails only if it is closed
		connections = append(connections, &connection{Conn: conn, reader: bufio.NewReaderSize(conn, 4<<10)})
	}
	return connections, nil
}

func closeAll(connections []*connection) {
	for _, c := range connections {
		_ = c.Close() // all that was wanted of it has been read
	}
}
