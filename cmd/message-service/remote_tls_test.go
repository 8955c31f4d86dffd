package main

import (
	"encoding/pem"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/messaging"
)

// TestRemoteFindsServer calls a server by each form of a listen address, over TLS, with a
// certificate that must be trusted first.
func TestRemoteFindsServer(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, db.SQLite, messaging.Options{})
	plain := httptest.NewServer(s.API)
	encrypted := httptest.NewTLSServer(s.API)
	t.Cleanup(plain.Close)
	t.Cleanup(encrypted.Close)
	certificate, another := filepath.Join(t.TempDir(), "certificate.pem"), filepath.Join(t.TempDir(), "another.pem")
	content := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: encrypted.Certificate().Raw})
	// A server takes a file with the key in it, too, before or after the certificate.
	content = append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("a key")}), content...)
	if err := os.WriteFile(certificate, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(another, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("another")}), 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(plain.Listener.Addr().String())
	_, encryptedPort, _ := net.SplitHostPort(encrypted.Listener.Addr().String())
	none := filepath.Join(t.TempDir(), "none.pem")
	if code, _, errs := runHere(t, "health", "--listen-address=:"+encryptedPort); code != 1 || !strings.Contains(errs, "400 Bad Request: if it serves HTTPS, name") {
		t.Errorf("health, without TLS options: exit %d, %s", code, errs)
	}
	for name, test := range map[string]struct {
		options []string
		says    string // if it is refused
	}{
		"an address":            {[]string{"--listen-address=127.0.0.1:" + port}, ""},
		"a name":                {[]string{"--listen-address=localhost:" + port}, ""},
		"all, v4":               {[]string{"--listen-address=0.0.0.0:" + port}, ""},
		"all, v6":               {[]string{"--listen-address=[::]:" + port}, ""},
		"only a port":           {[]string{"--listen-address=:" + port}, ""},
		"TLS":                   {[]string{"--listen-address=:" + encryptedPort, "--tls-cert-file=" + certificate}, ""},
		"a URL":                 {[]string{"--server=" + plain.URL, "--listen-address=127.0.0.1:1"}, ""},
		"a URL, trusted":        {[]string{"--server=" + encrypted.URL, "--ca-file=" + certificate}, ""},
		"a URL, not trusted":    {[]string{"--server=" + encrypted.URL}, "to trust a certificate of your own, name its file by --ca-file"},
		"another certificate":   {[]string{"--listen-address=:" + encryptedPort, "--tls-cert-file=" + another}, "failed to verify certificate: the server shows another"},
		"no certificate there":  {[]string{"--listen-address=:" + encryptedPort, "--tls-cert-file=" + none}, "cannot be read"},
		"not a file":            {[]string{"--server=" + encrypted.URL, "--ca-file=" + os.DevNull}, "no regular file"},
		"no authorities there":  {[]string{"--server=" + encrypted.URL, "--ca-file=" + none}, "no such file"},
		"no port":               {[]string{"--listen-address=localhost"}, "must be HOST:PORT"},
		"TLS without a word":    {[]string{"--listen-address=:" + encryptedPort}, "400 Bad Request"},
		"an unknown host's CAs": {[]string{"--server=https://127.0.0.1:1", "--ca-file=" + certificate}, "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"send", "--from=alice", "--to=bob"}, append(test.options, "hi")...)
			code, out, errs := runHere(t, args...)
			if refused := test.says != ""; (code != 0) != refused || !strings.Contains(errs, test.says) || (out == "") != refused {
				t.Errorf("send: exit %d, want %q\nstdout: %s\nstderr: %s", code, test.says, out, errs)
			}
			if test.says != "" || strings.HasPrefix(test.options[0], "--server") {
				return
			}
			if code, out, errs := runHere(t, append([]string{"health"}, test.options...)...); code != 0 || out != "UP\n" {
				t.Errorf("health: exit %d\nstdout: %s\nstderr: %s", code, out, errs)
			}
		})
	}
}

// TestRemoteByEnvironment runs send with the environment variables of the server.
func TestRemoteByEnvironment(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, db.SQLite, messaging.Options{})
	address := strings.TrimPrefix(s.URL, "http://")
	command := programWith(t, "send", "--from=alice", "--to=bob", "hi")
	command.Env = append(command.Env, "LISTEN_ADDRESS="+address)
	if out, err := command.Output(); err != nil || !strings.Contains(string(out), `"hi"`) {
		t.Errorf("%v, %s", err, out)
	}
}
