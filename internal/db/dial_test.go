package db_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// withoutTLS is a Postgres that has no TLS and refuses connections without it. For each connection
// it sends the outcome once the client has closed it.
func withoutTLS(t *testing.T) (address string, closed <-chan error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() }) // nothing is in it
	outcomes := make(chan error, 100)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { outcomes <- refuse(conn) }()
		}
	}()
	return listener.Addr().String(), outcomes
}

// refuse refuses a connection and waits until the client closes it.
func refuse(conn net.Conn) error {
	defer conn.Close() //nolint:errcheck // the client has closed it
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	head := make([]byte, 8)
	if _, err := io.ReadFull(conn, head); err != nil {
		return err
	}
	answer, said := []byte("N"), "a request for TLS"
	if binary.BigEndian.Uint32(head[4:]) != 80877103 {
		fields := "SFATAL\x00C28000\x00Mno\x00\x00"
		answer, said = append(binary.BigEndian.AppendUint32([]byte("E"), uint32(4+len(fields))), fields...), "a start without TLS"
		if _, err := io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(head))-8); err != nil {
			return err
		}
	}
	if _, err := conn.Write(answer); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, conn); err != nil {
		return fmt.Errorf("%s was refused, and the connection not closed: %w", said, err)
	}
	return nil
}

// TestRefusedConnections checks that each abandoned connection is closed, even if another one
// replaces it.
func TestRefusedConnections(t *testing.T) {
	t.Parallel()
	for mode, connections := range map[string]int{"": 2, "prefer": 2, "allow": 2, "require": 1, "disable": 1} {
		for who, connect := range map[string]func(context.Context, *db.DB) error{
			"the pool": func(ctx context.Context, database *db.DB) error {
				return database.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) error {
					return sqlx.GetContext(ctx, q, new(int), "SELECT 1")
				})
			},
			"a change of the schema": func(ctx context.Context, database *db.DB) error { return database.CheckSchema(ctx) },
			"who listens": func(ctx context.Context, database *db.DB) (err error) {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				return errors.Join(database.Listen(ctx, "channel", func(string) {}, func() {}, func(refused error) { err = refused; cancel() }), err)
			},
		} {
			t.Run(mode+" "+who, func(t *testing.T) {
				t.Parallel()
				address, closed := withoutTLS(t)
				if err := connect(t.Context(), dbtest.Connect(t, "postgres://user@"+address+"/name?sslmode="+mode, db.Options{})); err == nil {
					t.Error("connected")
				}
				for range connections {
					if err := <-closed; err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
}
