package contract

import (
	"math"
	"time"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/messaging"
)

// Status is the status of the messaging service. The caller adds whether it is ready, and the
// status of the HTTP server and of feeds.
func Status(s messaging.Status) server.Status {
	return server.Status{
		Engine:            s.Engine,
		UptimeSeconds:     int64(time.Since(s.Started) / time.Second),
		Sends:             s.Sends,
		SendsPerSecond10S: hundredths(s.PerSecond10s),
		SendsPerSecond60S: hundredths(s.PerSecond60s),
		SendsWaiting:      int64(s.SendsWaiting),
		ChangesWaiting:    int64(s.ChangesWaiting),
		QueueSize:         int64(s.QueueSize),
	}
}

// hundredths rounds to two decimal places.
func hundredths(x float64) float64 { return math.Round(100*x) / 100 }
