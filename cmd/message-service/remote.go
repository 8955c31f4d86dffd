package main

import (
	"bytes"
	"context"
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

// localFlags are the options by which commands find the server on this machine: the same that configure it.
type localFlags struct {
	ListenAddress string `env:"LISTEN_ADDRESS" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where the server on this machine listens."`
	TLSCertFile   string `name:"tls-cert-file" env:"TLS_CERT_FILE" placeholder:"PATH" help:"The certificate of the server on this machine, if it has one: the connection then uses TLS and accepts only this certificate."`
}

// Validate is called by the command line parser.
func (f localFlags) Validate() error {
	if _, _, err := net.SplitHostPort(f.ListenAddress); err != nil {
		return errors.New("--listen-address (LISTEN_ADDRESS) must be HOST:PORT, such as 127.0.0.1:8080")
	}
	return nil
}

// url is the server's URL, at localhost if it listens on all addresses.
func (f localFlags) url() string {
	host, port, _ := net.SplitHostPort(f.ListenAddress) // it was checked
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return tlsFlags{TLSCertFile: f.TLSCertFile}.scheme() + "://" + net.JoinHostPort(host, port)
}

// tls pins the certificate in the file: it accepts no other, and this one for any name.
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
		InsecureSkipVerify: true, // VerifyConnection is stricter: it compares the certificate itself
		VerifyConnection: func(state tls.ConnectionState) error {
			if !bytes.Equal(state.PeerCertificates[0].Raw, block.Bytes) {
				return &tls.CertificateVerificationError{ // the SDK does not retry this error
					UnverifiedCertificates: state.PeerCertificates,
					Err:                    errors.New("the server shows another than that of --tls-cert-file (TLS_CERT_FILE)"),
				}
			}
			return nil
		},
	}, nil
}

// serverFlags are the options of commands that call a server on this or another machine.
type serverFlags struct {
	localFlags

	Server    string `env:"SERVER_URL" placeholder:"URL" help:"The server's URL, such as https://chat.example.org. The default is the server on this machine."`
	Token     string `env:"TOKEN" placeholder:"TOKEN" help:"A user token or a service key, if the server requires one. Other users of this machine can see the options of a command: prefer a file."`
	TokenFile string `env:"TOKEN_FILE" placeholder:"PATH" help:"A file that holds the token or key. It is read again when the token has expired."`

	CAFile string `name:"ca-file" placeholder:"PATH" help:"Also trust the certificates in this PEM file, besides the system's (SSL_CERT_FILE)."`
}

// Validate is called by the command line parser.
func (f serverFlags) Validate() error {
	if f.Server != "" {
		if _, err := messageservice.New(f.Server); err != nil {
			return fmt.Errorf("--server (SERVER_URL): %w", err)
		}
	}
	if f.Token != "" && f.TokenFile != "" {
		return errors.New("--token (TOKEN) and --token-file (TOKEN_FILE) exclude each other")
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
	token := messageservice.WithToken(f.Token)
	if f.TokenFile != "" {
		read := func(context.Context) (string, error) { return secret("", f.TokenFile, "--token-file (TOKEN_FILE)") }
		if _, err := read(context.Background()); err != nil {
			return nil, err
		}
		token = messageservice.WithTokenSource(read)
	}
	return messageservice.New(url, messageservice.WithTLS(config), token)
}

// withAdvice adds to the error of a request how to solve it, where that is known.
func withAdvice(err error) error {
	if problem, ok := errors.AsType[*messageservice.ProblemError](err); ok {
		switch problem.Type {
		case messageservice.CredentialRequired:
			return fmt.Errorf("%w; give a token by --token-file (TOKEN_FILE) or --token (TOKEN): message-service token USER prints one of a user, "+
				"message-service key create NAME --scope messages:read,messages:write one for all users", err)
		case messageservice.CredentialExpired, messageservice.CredentialRevoked:
			return fmt.Errorf("%w; message-service token USER prints a new one", err)
		}
	}
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		return fmt.Errorf("%w; to trust a certificate of your own, name its file by --ca-file", err)
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%w; start the server, or say where it is by --server (SERVER_URL)", err)
	}
	return err
}

// maxBundleBytes bounds a file of CA certificates; the usual bundle has 250 kB.
const maxBundleBytes = 4 << 20

// trust returns the system's certificates and those in a file.
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

// writeLine writes a value as one line of JSON in a single write.
func writeLine(w io.Writer, value any) error {
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	return lines.Encode(value)
}
