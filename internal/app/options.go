package app

import (
	"log/slog"
	"time"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/identity"
	"github.com/message-service/message-service/internal/messaging"
)

// Options configure a server.
type Options struct {
	ListenAddress   string // HOST:PORT; port 0 takes a free one
	ProfilesAddress string // HOST:PORT of the server of profiles; none if it is ""

	CertificateFile string // PEM; no TLS if it is ""
	KeyFile         string
	H2C             bool // also serve HTTP/2 without TLS

	DatabaseURL  string
	DatabaseWait time.Duration // how long New waits for a database that does not answer yet
	Database     db.Options
	NotifyOff    bool                  // do not NOTIFY other servers on the same Postgres, which then poll
	Bus          func(*db.DB) feed.Bus // makes the bus; nil chooses the one for the database

	Identity  identity.Options  // all but NotifyOff and Log
	Messaging messaging.Options // all but Followed and Publish
	Feed      feed.Options
	API       httpapi.Options // all but Connections

	// MakeKey makes a service key if requests need a credential and there is none. Without it [New] fails then.
	MakeKey bool

	ShutdownDelay   time.Duration // how long Close goes on serving while /ready answers 503
	ShutdownTimeout time.Duration // how long Close waits after that for requests to end

	Log *slog.Logger // none if nil
}
