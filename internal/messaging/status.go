package messaging

import "time"

// Status is how busy a service is.
type Status struct {
	Engine  string // "postgres" or "sqlite"
	Started time.Time

	Sends        int64   // stored since the start
	PerSecond10s float64 // sends per second over the last ten whole seconds
	PerSecond60s float64

	SendsWaiting   int // to be stored, to users and to groups
	ChangesWaiting int // other changes that wait or are being stored
	QueueSize      int // the most of each
}

// Status returns how busy the service is, without a query.
func (s *Service) Status() Status {
	status := Status{
		Engine:         string(s.db.Engine),
		Started:        s.sends.stored.start,
		SendsWaiting:   s.sends.waiting(),
		ChangesWaiting: s.mailboxes.Waiting(),
		QueueSize:      s.queueSize,
	}
	status.Sends, status.PerSecond10s, status.PerSecond60s = s.sends.stored.rates()
	return status
}
