package apitest_test

import (
	"bytes"
	"cmp"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
)

// proxy is a TCP proxy between the server and Postgres that can cut connections, delay
// all data, or drop data with a given content.
type proxy struct {
	gate     sync.RWMutex // held for writing to delay all data
	listener net.Listener

	mu              sync.Mutex
	network, target string // of Postgres
	down            bool
	cuts            int    // so far
	swallowed       []byte // what does not reach Postgres
	conns           map[net.Conn]bool
}

// newProxy returns a proxy for the database at databaseURL, and the URL of the database
// through it.
func newProxy(t *testing.T, databaseURL string) (*proxy, string) {
	t.Helper()
	p := &proxy{conns: map[net.Conn]bool{}}
	address := p.move(t, databaseURL)
	var err error
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	address.Host = p.listener.Addr().String()
	t.Cleanup(func() {
		p.cut()
		if err := p.listener.Close(); err != nil {
			t.Errorf("proxy: %v", err)
		}
	})
	go p.serve()
	return p, address.String()
}

// move directs new connections to another database. It returns its parsed URL, which has no host
// if it is a Unix socket.
func (p *proxy) move(t *testing.T, databaseURL string) *url.URL {
	t.Helper()
	address, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.network, p.target = "tcp", address.Host
	query := address.Query()
	if directory := query.Get("host"); directory != "" {
		p.network, p.target = "unix", filepath.Join(directory, ".s.PGSQL."+cmp.Or(query.Get("port"), "5432"))
		query.Del("host")
		query.Del("port")
	} else if address.Port() == "" {
		p.target += ":5432"
	}
	address.RawQuery = query.Encode()
	return address
}

func (p *proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		network, target, cuts := p.network, p.target, p.cuts
		p.mu.Unlock()
		server, err := net.Dial(network, target)
		if err != nil { // Postgres is down
			hangUp(client)
			continue
		}
		p.mu.Lock()
		if p.down || p.cuts > cuts { // while it was dialled
			hangUp(client, server)
		} else {
			p.conns[client], p.conns[server] = true, true
			go p.pump(client, server, nil)
			go p.pump(server, client, p.swallowed)
		}
		p.mu.Unlock()
	}
}

// pump copies until either side closes, and then closes both.
func (p *proxy) pump(to, from net.Conn, swallowed []byte) {
	_, _ = io.Copy(gated{to, &p.gate, swallowed}, from) // its error is that the connection was cut
	p.mu.Lock()
	defer p.mu.Unlock()
	hangUp(to, from)
	delete(p.conns, to)
	delete(p.conns, from)
}

// gated is a writer that blocks while the gate is held.
type gated struct {
	io.Writer

	gate      *sync.RWMutex
	swallowed []byte
}

// Write waits for the gate.
func (g gated) Write(b []byte) (int, error) {
	if len(g.swallowed) > 0 && bytes.Contains(b, g.swallowed) {
		return len(b), nil
	}
	g.gate.RLock()
	defer g.gate.RUnlock()
	return g.Writer.Write(b)
}

// cut closes all connections and refuses new ones.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	p.cuts++
	for conn := range p.conns {
		hangUp(conn)
	}
}

// swallow drops what the server sends to Postgres if it contains the given text.
func (p *proxy) swallow(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.swallowed = []byte(text)
}

// restore accepts new connections again.
func (p *proxy) restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}

func hangUp(conns ...net.Conn) {
	for _, conn := range conns {
		_ = conn.Close() // the other end may have done so
	}
}
