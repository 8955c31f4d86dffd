package httpapi

import (
	"context"
	"net"
	"sync"
)

// pipes is a listener whose connections are net.Pipes.
type pipes struct {
	accept chan net.Conn
	closed chan struct{}
	close  sync.Once

	open    sync.WaitGroup
	mu      sync.Mutex
	buffers []int // sizes passed to SetWriteBuffer
}

// pipe is the server's side of a connection.
type pipe struct {
	net.Conn

	pipes *pipes
	close func()
}

// Close closes the connection.
func (p *pipe) Close() error {
	defer p.close()
	return p.Conn.Close()
}

// SetWriteBuffer records the size.
func (p *pipe) SetWriteBuffer(bytes int) error {
	p.pipes.mu.Lock()
	defer p.pipes.mu.Unlock()
	p.pipes.buffers = append(p.pipes.buffers, bytes)
	return nil
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.accept <- &pipe{server, p, sync.OnceFunc(p.open.Done)}:
		return client, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept returns the next connection that a client dials.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.accept:
		p.open.Add(1)
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the listener.
func (p *pipes) Close() error {
	p.close.Do(func() { close(p.closed) })
	return nil
}

// Addr returns an address that is not used.
func (*pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
