package app

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/dbtest"
)

// TestNewLeavesNothingOpen makes each step of New fail: what was opened before must be closed again, and a
// mistake that has nothing to do with the database must leave it untouched. It counts goroutines, so it
// does not run in parallel.
func TestNewLeavesNothingOpen(t *testing.T) {
	other := httptest.NewTLSServer(http.NotFoundHandler())
	defer other.Close()
	taken := other.Listener.Addr().String()
	certificate, key := writeCertificate(t, other)
	for name, test := range map[string]struct {
		change func(*Options)
		says   string
		opened bool // the database
	}{
		"no such certificate":    {func(o *Options) { o.CertificateFile = "none" }, "TLS_CERT_FILE", false},
		"not of this key":        {func(o *Options) { o.KeyFile = o.CertificateFile }, "not a certificate and its key", false},
		"port is taken":          {func(o *Options) { o.ListenAddress = taken }, taken + " already", false},
		"port of profiles":       {func(o *Options) { o.ProfilesAddress = taken }, taken + " already", false},
		"no such engine":         {func(o *Options) { o.DatabaseURL = "mysql://x" }, "postgres://", false},
		"database does not open": {func(o *Options) { o.DatabaseURL = "postgres://127.0.0.1:1/x" }, "connection refused", false},
		"nobody could use it":    {func(o *Options) { o.API.Authenticate = true }, "message-service key create", true},
		"one port for two":       {func(o *Options) { o.ProfilesAddress = o.ListenAddress }, "something else listens", true},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "test.db")
			options := Options{ListenAddress: freeAddress(t), CertificateFile: certificate, KeyFile: key, DatabaseURL: "sqlite:" + path}
			test.change(&options)
			before := runtime.NumGoroutine()
			if _, err := New(t.Context(), options); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("New failed with %v, want %q", err, test.says)
			}
			if _, err := os.Stat(path); (err == nil) != test.opened {
				t.Errorf("the store: %v", err)
			}
			if _, err := os.Stat(path + "-wal"); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the store is open: %v", err)
			}
			if listener, err := net.Listen("tcp", options.ListenAddress); options.ListenAddress != taken && (err != nil || listener.Close() != nil) {
				t.Errorf("the port is not free: %v", err)
			}
			for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() { // a goroutine that has ended is still counted for a moment
				if time.Now().After(deadline) {
					stacks := make([]byte, 1<<20)
					t.Fatalf("%d goroutines are left\n%s", runtime.NumGoroutine()-before, stacks[:runtime.Stack(stacks, true)])
				}
			}
		})
	}
}

// freeAddress returns a loopback address with a free port.
func freeAddress(t *testing.T) string {
	t.Helper()
	port, err := dbtest.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// writeCertificate writes the certificate of a server of the standard library, and its key.
func writeCertificate(t *testing.T, of *httptest.Server) (certificate, key string) {
	t.Helper()
	pair := of.TLS.Certificates[0]
	secret, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	if err := errors.Join(
		os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	return certificate, key
}
