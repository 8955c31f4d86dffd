package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/valyala/fasthttp"
)

// connection is a keep-alive connection to the server, for one request at a time. It writes prepared
// requests and parses responses with fasthttp, which takes half the CPU time of net/http's client: the
// server runs on the same cores.
type connection struct {
	net.Conn

	reader *bufio.Reader
	sent   time.Time         // when the last request was sent
	answer fasthttp.Response // to it
}

// do sends a request and reads the response.
func (c *connection) do(request []byte) error {
	c.sent = time.Now()
	if _, err := c.Write(request); err != nil {
		return err
	}
	return c.answer.Read(c.reader)
}

// get requests a path on a connection of its own. It must be answered with 200.
func get(ctx context.Context, address, path string) ([]byte, error) {
	connections, err := dialAll(ctx, address, 1, responseTimeout)
	if err != nil {
		return nil, err
	}
	defer closeAll(connections)
	c := connections[0]
	if err := c.do([]byte("GET " + path + " HTTP/1.1\r\n" + credential + "\r\n")); err != nil {
		return nil, err
	}
	return c.answer.Body(), expect(http.StatusOK, 0)(c, c.sent)
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
