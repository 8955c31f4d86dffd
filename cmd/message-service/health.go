package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/message-service/message-service/gen/client"
)

type healthCommand struct {
	localFlags

	Timeout time.Duration `default:"3s" placeholder:"DURATION" help:"How long to wait for the response."`
}

// Run checks liveness by GET /health, not readiness: a container must not be restarted because its database
// is down.
func (c healthCommand) Run(ctx context.Context, std streams) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	// The certificate is not verified: the request has no secrets, and a certificate that was replaced or
	// has expired is no reason to restart the server.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	api, err := client.NewClientWithResponses(c.url(), client.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		return err
	}
	answer, err := api.GetHealthWithResponse(ctx)
	if err != nil {
		return err
	}
	if answer.StatusCode() == http.StatusBadRequest && c.TLSCertFile == "" {
		return fmt.Errorf("not healthy: %s: if it serves HTTPS, name its certificate by --tls-cert-file (TLS_CERT_FILE)", answer.Status())
	}
	if answer.StatusCode() != http.StatusOK {
		return errors.New("not healthy: " + answer.Status())
	}
	fmt.Fprint(std.out, string(answer.Body))
	return nil
}
