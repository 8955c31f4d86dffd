package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"
)

// certificate is a TLS certificate with its key, reloaded when the files change.
type certificate struct {
	file, keyFile string

	log     *slog.Logger
	content []byte // of both files when they were last read
	current atomic.Pointer[tls.Certificate]
}

// loadCertificate reads the certificate, if the server has one, and starts a worker that reloads it.
func (a *App) loadCertificate(context.Context) error {
	if a.options.CertificateFile == "" {
		return nil
	}
	c := &certificate{file: a.options.CertificateFile, keyFile: a.options.KeyFile, log: a.log}
	if _, err := c.reload(); err != nil {
		return err
	}
	a.certificate = c
	a.work("the watch of the certificate", c.watch)
	return nil
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return c.current.Load(), nil
}

// reload reads the files and replaces the certificate if they have changed and match each other.
func (c *certificate) reload() (changed bool, err error) {
	cert, err := ReadSmall(c.file, MaxCertificateBytes)
	if err != nil {
		return false, fmt.Errorf("the file of --tls-cert-file (TLS_CERT_FILE) cannot be read: %w", err)
	}
	key, err := ReadSmall(c.keyFile, MaxCertificateBytes)
	if err != nil {
		return false, fmt.Errorf("the file of --tls-key-file (TLS_KEY_FILE) cannot be read: %w", err)
	}
	content := slices.Concat(cert, []byte{0}, key)
	if bytes.Equal(content, c.content) {
		return false, nil
	}
	c.content = content
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return false, fmt.Errorf("the files of --tls-cert-file and --tls-key-file (TLS_CERT_FILE and TLS_KEY_FILE) are not a certificate and its key: %w", err)
	}
	if now := time.Now(); now.After(pair.Leaf.NotAfter) || now.Before(pair.Leaf.NotBefore) {
		c.log.Warn("clients will not accept the certificate: it is not valid now", "from", pair.Leaf.NotBefore, "until", pair.Leaf.NotAfter)
	}
	c.current.Store(&pair)
	return true, nil
}

// MaxCertificateBytes bounds the files of a certificate and its key.
const MaxCertificateBytes = 64 << 10

// reloadInterval is how often the files are read. They are small, and comparing their content notices
// every way of replacing them, unlike watching the directory.
const reloadInterval = time.Second

// watch reloads the certificate when its files change, until ctx is done. Open connections keep theirs.
// If the new one is invalid that is logged, and the old one stays in use.
func (c *certificate) watch(ctx context.Context) {
	ticker := time.NewTicker(reloadInterval)
	defer ticker.Stop()
	var last string
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		changed, err := c.reload()
		switch {
		case changed:
			c.log.Info("certificate replaced", "until", c.current.Load().Leaf.NotAfter)
		case err != nil && err.Error() != last: // not every second
			c.log.Warn("the certificate was not replaced", "error", err)
		}
		last = fmt.Sprint(err)
	}
}
