package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/message-service/message-service/gen/client"
)

type healthCommand struct {
	ListenAddress string        `env:"LISTEN_ADDRESS" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where the server listens (default: 127.0.0.1:8080)."`
	TLSCertFile   string        `name:"tls-cert-file" env:"TLS_CERT_FILE" placeholder:"PATH" help:"As of the server: with one it is asked over TLS."`
	Timeout       time.Duration `default:"3s" help:"How long to wait for its answer."`
}

// Run asks the server whether it is alive. Not whether it is ready: a container is
// not to be restarted because its database is.
func (c healthCommand) Run(ctx context.Context, std streams) error {
	host, port, err := net.SplitHostPort(c.ListenAddress)
	if err != nil {
		return fmt.Errorf("listen address: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	// Nothing is told that a stranger may not know, and a certificate that has just been replaced,
	// or could not be, is no reason to restart the server.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	scheme := tlsFlags{TLSCertFile: c.TLSCertFile}.scheme()
	api, err := client.NewClientWithResponses(scheme+"://"+net.JoinHostPort(host, port), client.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		return err
	}
	answer, err := api.GetHealthWithResponse(ctx)
	if err != nil {
		return err
	}
	if answer.StatusCode() != http.StatusOK {
		return errors.New("not healthy: " + answer.Status())
	}
	fmt.Fprint(std.out, string(answer.Body))
	return nil
}
