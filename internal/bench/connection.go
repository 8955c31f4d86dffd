package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// connection is a keep-alive connection to the server, for one request at a time. It writes prepared
// requests and parses responses with fasthttp, which takes half the CPU time of net/http's client: the
// server runs on the same cores.
type connection struct {
	net.Conn

	reader *bufio.Reader
	answer fasthttp.Response
}

// do sends a request and reads the response, which the next call overwrites.
func (c *connection) do(request []byte) (*fasthttp.Response, error) {
	if _, err := c.Write(request); err != nil {
		return nil, err
	}
	return &c.answer, c.answer.Read(c.reader)
}

// dialAll opens connections, which the caller closes with closeAll. They have a deadline after the given time.
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
		_ = c.Close() // everything has been read
	}
}
