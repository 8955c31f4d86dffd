package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// connection is a kept-alive connection to the server, one request at a time. It
// understands as much of HTTP/1.1 as the server's answers need, since every cycle it
// takes is one that the server, on the same cores, does not get.
type connection struct {
	net.Conn

	reader *bufio.Reader
	body   []byte // of the last answer; the next one overwrites it
}

// answer is an answer to a request.
type answer struct {
	status     int
	retryAfter bool // it says when to come back
	body       []byte
}

// dial connects. Everything on the connection must happen within the given time.
func dial(ctx context.Context, address string, within time.Duration) (*connection, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(within)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &connection{Conn: conn, reader: bufio.NewReaderSize(conn, 4<<10)}, nil
}

// do sends a request and reads the answer.
func (c *connection) do(request []byte) (answer, error) {
	if _, err := c.Write(request); err != nil {
		return answer{}, err
	}
	a, length, err := c.readHead()
	if err != nil {
		return answer{}, err
	}
	c.body = c.body[:0]
	if length >= 0 {
		err = c.readBody(length)
	} else {
		err = c.readChunks()
	}
	a.body = c.body
	return a, err
}

// readHead reads the status and the header; the length is -1 if the body is chunked.
func (c *connection) readHead() (a answer, length int, err error) {
	line, err := c.readLine()
	if err != nil {
		return a, 0, err
	}
	version, rest, _ := bytes.Cut(line, []byte(" "))
	if string(version) != "HTTP/1.1" || len(rest) < 3 {
		return a, 0, fmt.Errorf("not an answer of HTTP/1.1: %q", line)
	}
	if a.status, err = strconv.Atoi(string(rest[:3])); err != nil {
		return a, 0, err
	}
	for {
		line, err := c.readLine()
		if err != nil || len(line) == 0 {
			return a, length, err
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch { // what else there is does not matter here
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return a, 0, err
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			length = -1
		case bytes.EqualFold(name, []byte("Retry-After")):
			a.retryAfter = true
		}
	}
}

// readLine reads a line without its end; it is valid until the next read.
func (c *connection) readLine() ([]byte, error) {
	line, err := c.reader.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
}

// readBody appends so many bytes to the body.
func (c *connection) readBody(length int) error {
	start := len(c.body)
	if missing := start + length - cap(c.body); missing > 0 {
		c.body = append(c.body[:cap(c.body)], make([]byte, missing)...)
	}
	c.body = c.body[:start+length]
	_, err := io.ReadFull(c.reader, c.body[start:])
	return err
}

// readChunks reads a chunked body and its trailer, which the server leaves empty.
func (c *connection) readChunks() error {
	for {
		line, err := c.readLine()
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(string(line), 16, 32)
		if err != nil {
			return fmt.Errorf("size of a chunk: %w", err)
		}
		if err := c.readBody(int(size)); err != nil {
			return err
		}
		if _, err := c.readLine(); err != nil { // the end of the chunk, or of the trailer
			return err
		}
		if size == 0 {
			return nil
		}
	}
}
