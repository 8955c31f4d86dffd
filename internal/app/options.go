package app

import (
	"log/slog"
	"time"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/messaging"
)

// Options configure a server.
type Options struct {
	ListenAddress   string // HOST:PORT; port 0 takes a free one
	ProfilesAddress string // where profiles are served; they are not if it is ""

	CertificateFile string // PEM; without it, and its key, there is no TLS
	KeyFile         string
	H2C             bool // HTTP/2 is spoken without TLS, too

	DatabaseURL  string
	DatabaseWait time.Duration // for a database that does not answer yet
	Database     db.Options
	NotifyOff    bool                  // other servers on the same Postgres are left to find out by themselves
	Bus          func(*db.DB) feed.Bus // the one that suits the database if nil

	Messaging messaging.Options // all but Publish
	Feed      feed.Options
	API       httpapi.Options // all but Connections

	ShutdownDelay   time.Duration // how long Close goes on serving while /ready answers 503
	ShutdownTimeout time.Duration // how long Close waits after that for requests to end

	Log *slog.Logger // none if nil
}
