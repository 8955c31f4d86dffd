package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/message-service/message-service/api/messageservice"
	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/app"
)

// localFlags say how a server on this machine is reached: by what it is configured with.
type localFlags struct {
	ListenAddress string `env:"LISTEN_ADDRESS" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where the server on this machine listens."`
	TLSCertFile   string `name:"tls-cert-file" env:"TLS_CERT_FILE" placeholder:"PATH" help:"The certificate of the server on this machine, if it has one: it is asked over TLS then, and has to show this one."`
}

// Validate is called by the command line parser.
func (f localFlags) Validate() error {
	if _, _, err := net.SplitHostPort(f.ListenAddress); err != nil {
		return errors.New("--listen-address (LISTEN_ADDRESS) must be HOST:PORT, such as 127.0.0.1:8080")
	}
	return nil
}

// url is where the server is. One that listens on all addresses is asked at that of this machine.
func (f localFlags) url() string {
	host, port, _ := net.SplitHostPort(f.ListenAddress) // it was checked
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return tlsFlags{TLSCertFile: f.TLSCertFile}.scheme() + "://" + net.JoinHostPort(host, port)
}

// tls trusts the certificate in the file and no other, whatever name it is for.
func (f localFlags) tls() (*tls.Config, error) {
	if f.TLSCertFile == "" {
		return nil, nil //nolint:nilnil // there is no TLS
	}
	content, err := app.ReadSmall(f.TLSCertFile, app.MaxCertificateBytes)
	if err != nil {
		return nil, fmt.Errorf("the file of --tls-cert-file (TLS_CERT_FILE) cannot be read: %w", err)
	}
	block, rest := pem.Decode(content)
	for block != nil && block.Type != "CERTIFICATE" { // a key may be in the file, too
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, errors.New("the file of --tls-cert-file (TLS_CERT_FILE) has no certificate")
	}
	return &tls.Config{
		InsecureSkipVerify: true, // what follows is stricter: the very certificate
		VerifyConnection: func(state tls.ConnectionState) error {
			if !bytes.Equal(state.PeerCertificates[0].Raw, block.Bytes) {
				return &tls.CertificateVerificationError{ // which is not tried again
					UnverifiedCertificates: state.PeerCertificates,
					Err:                    errors.New("the server shows another than that of --tls-cert-file (TLS_CERT_FILE)"),
				}
			}
			return nil
		},
	}, nil
}

// serverFlags are the options of commands that ask a server, which may be anywhere.
type serverFlags struct {
	localFlags

	Server string `env:"SERVER_URL" placeholder:"URL" help:"Where the server is, such as https://chat.example.org. Without it that of this machine is asked."`
	CAFile string `name:"ca-file" placeholder:"PATH" help:"Trust the certificates in this file, too, as PEM. The system's are looked for where SSL_CERT_FILE says."`
}

// Validate is called by the command line parser.
func (f serverFlags) Validate() error {
	if f.Server != "" {
		if _, err := messageservice.New(f.Server); err != nil {
			return fmt.Errorf("--server (SERVER_URL): %w", err)
		}
	}
	return f.localFlags.Validate()
}

func (f serverFlags) client() (*client.ClientWithResponses, error) {
	url := f.Server
	var config *tls.Config
	var err error
	if url == "" {
		url = f.url()
		config, err = f.tls()
	}
	if err == nil && f.CAFile != "" {
		config = &tls.Config{}
		config.RootCAs, err = trust(f.CAFile)
	}
	if err != nil {
		return nil, err
	}
	return messageservice.New(url, messageservice.WithTLS(config))
}

// withAdvice adds to the error of a request what may help.
func withAdvice(err error) error {
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		return fmt.Errorf("%w; to trust a certificate of your own, name its file by --ca-file", err)
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%w; start the server, or say where it is by --server (SERVER_URL)", err)
	}
	return err
}

// maxBundleBytes bounds a file of certificates: those of all authorities take 250 kB.
const maxBundleBytes = 4 << 20

// trust is what the system trusts, and the certificates in a file.
func trust(path string) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // the system has none
	}
	content, err := app.ReadSmall(path, maxBundleBytes)
	if err != nil {
		return nil, fmt.Errorf("the file of --ca-file: %w", err)
	}
	if !pool.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("the file of --ca-file has no certificates: %s", path)
	}
	return pool, nil
}

// writeLine writes a value as one line of JSON, by one write.
func writeLine(w io.Writer, value any) error {
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	return lines.Encode(value)
}
