package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// protocols are the versions of HTTP, as a response names them, with and without TLS.
var protocols = map[string]struct {
	proto string
	tls   bool
}{
	"HTTP/1.1 over TLS": {"HTTP/1.1", true}, "HTTP/2 over TLS": {"HTTP/2.0", true}, "HTTP/2 without TLS": {"HTTP/2.0", false},
}

// writeCertificate writes a new certificate for localhost and its key to a folder.
func writeCertificate(t *testing.T, folder string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	if err := errors.Join(
		os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// served is a server in this process and a client of it that uses one protocol.
type served struct {
	*apitest.Client

	address, cert, key string
	log                lines
	stop               func()
}

// serveProtocol starts a server that runs until stop is called or the test ends.
func serveProtocol(t *testing.T, protocol, database string) *served {
	t.Helper()
	s := &served{log: make(lines, 10_000)}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Protocols = &http.Protocols{}
	transport.HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10} // the flow-control window of an unread stream
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if tcp, ok := conn.(*net.TCPConn); ok {
			err = tcp.SetReadBuffer(64 << 10) // as above
		}
		return conn, err
	}
	args := []string{"--listen-address", "127.0.0.1:0", "--database-url", database}
	if protocols[protocol].tls {
		s.cert, s.key = writeCertificate(t, t.TempDir())
		args = append(args, "--tls-cert-file", s.cert, "--tls-key-file", s.key)
		transport.Protocols.SetHTTP1(protocols[protocol].proto == "HTTP/1.1")
		transport.Protocols.SetHTTP2(protocols[protocol].proto == "HTTP/2.0")
		trusted := x509.NewCertPool()
		content, err := os.ReadFile(s.cert)
		if err != nil || !trusted.AppendCertsFromPEM(content) {
			t.Fatal(err)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: trusted}
	} else {
		args = append(args, "--h2c")
		transport.Protocols.SetUnencryptedHTTP2(true)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended, out := make(chan int, 1), make(lines, 10)
	go func() { ended <- run(ctx, args, streams{out, s.log}) }()
	s.stop = func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("exit %d", code)
		}
		ended <- 0
	}
	for s.Client == nil {
		select {
		case greeting := <-out:
			if _, url, ok := strings.Cut(greeting, "Documentation   "); ok {
				url, _, _ = strings.Cut(url, "/docs/")
				s.Client = apitest.NewClientOver(t, url, transport)
				_, s.address, _ = strings.Cut(url, "://")
			}
		case code := <-ended:
			t.Fatalf("exit %d: %s", code, s.log.next(t))
		}
	}
	t.Cleanup(s.stop)
	return s
}

// logs waits for a line of the log.
func (s *served) logs(t *testing.T, text string) string {
	t.Helper()
	for deadline := time.After(time.Minute); ; {
		select {
		case line := <-s.log:
			if strings.Contains(line, text) {
				return line
			}
		case <-deadline:
			t.Fatalf("it did not log %q", text)
		}
	}
}

// follow opens bob's stream for at most a minute.
func (s *served) follow(t *testing.T, after *uuid.UUID) *apitest.Stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	t.Cleanup(cancel)
	stream, err := s.Follow(ctx, t, "bob", after)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stream.Close)
	return stream
}

// TestProtocols sends and follows over each protocol, runs the health command, and stops the server
// while streams are open: these must end without an error and with a retry time.
func TestProtocols(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		for protocol, want := range protocols {
			t.Run(protocol, func(t *testing.T) {
				t.Parallel()
				s := serveProtocol(t, protocol, dbtest.NewURL(t, engine))
				response, err := s.HTTP.Get(s.URL + "/v1/limits")
				if err != nil {
					t.Fatal(err)
				}
				if response.Body.Close() != nil || response.Proto != want.proto || (response.TLS != nil) != want.tls {
					t.Errorf("answered by %s", response.Proto)
				}
				one, two := s.follow(t, nil), s.follow(t, &uuid.Nil)
				for i := range 20 {
					sent := s.Send(t, "alice", "bob", fmt.Sprint(i))
					for _, stream := range []*apitest.Stream{one, two} {
						if change, err := stream.Next(); err != nil || change.Message == nil || change.Message.ID != sent.ID {
							t.Fatalf("the stream brought %+v, %v", change, err)
						}
					}
				}
				health := []string{"health", "--listen-address", s.address}
				if want.tls {
					health = append(health, "--tls-cert-file", s.cert)
				}
				if code, out, errs := runHere(t, health...); code != 0 || out != "UP\n" {
					t.Errorf("health: exit %d, %s", code, errs)
				}
				two.Close()
				s.logs(t, "stream ended")
				s.stop()
				if _, err := one.Next(); !errors.Is(err, io.EOF) {
					t.Errorf("the stream ended with %v", err)
				}
				s.logs(t, "stopped")
			})
		}
	})
}

// TestProtocolSlowReader does not read one of two streams, which on HTTP/2 share a connection: the
// other must get events at once, and when the slow one is read no event may be missing.
func TestProtocolSlowReader(t *testing.T) {
	t.Parallel()
	for protocol := range protocols {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			s := serveProtocol(t, protocol, dbtest.NewURL(t, db.SQLite))
			slow, quick := s.follow(t, &uuid.Nil), s.follow(t, &uuid.Nil)
			// All at once, since the server closes a stream that is not read for 30 s; in all more than the buffers of a connection hold.
			sent, text := make([]uuid.UUID, 80), strings.Repeat("🐌", 4000)
			var sending sync.WaitGroup
			for i := range sent {
				sending.Go(func() { sent[i] = s.Send(t, "alice", "bob", text).ID })
			}
			sending.Wait()
			slices.SortFunc(sent, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
			for n, want := range sent {
				if change, err := quick.Next(); err != nil || change.Cursor != want {
					t.Fatalf("message %d of the quick stream is %+v, %v", n, change, err)
				}
			}
			for n, want := range sent {
				if change, err := slow.Next(); err != nil || change.Cursor != want {
					t.Fatalf("message %d of the slow stream is %+v, %v", n, change, err)
				}
			}
		})
	}
}

// TestCertificateReplaced replaces the certificate of a running server by an invalid one and then by a
// valid one: new connections must get that, and open streams must continue.
func TestCertificateReplaced(t *testing.T) {
	t.Parallel()
	s := serveProtocol(t, "HTTP/2 over TLS", dbtest.NewURL(t, db.SQLite))
	stream := s.follow(t, nil)
	served := func() []byte {
		t.Helper()
		conn, err := tls.Dial("tcp", s.address, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close() //nolint:errcheck // it was only looked at
		return conn.ConnectionState().PeerCertificates[0].Raw
	}
	first := served()
	old, err := os.ReadFile(s.key)
	if err != nil {
		t.Fatal(err)
	}
	writeCertificate(t, filepath.Dir(s.cert))
	if err := os.WriteFile(s.key, old, 0o600); err != nil {
		t.Fatal(err)
	}
	s.logs(t, "the certificate was not replaced")
	if code, _, errs := runHere(t, "health", "--listen-address", s.address, "--tls-cert-file", s.cert); code != 0 {
		t.Errorf("health: exit %d, %s", code, errs)
	}
	if !bytes.Equal(served(), first) {
		t.Error("a certificate without its key is served")
	}
	writeCertificate(t, filepath.Dir(s.cert))
	s.logs(t, "certificate replaced")
	if bytes.Equal(served(), first) {
		t.Error("the certificate was not replaced")
	}
	sent := s.Send(t, "alice", "bob", "hello")
	if change, err := stream.Next(); err != nil || change.Cursor != sent.ID {
		t.Errorf("the stream brought %+v, %v", change, err)
	}
}
