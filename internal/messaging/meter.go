package messaging

import (
	"sync"
	"time"
)

// meterSeconds is the longest period of a rate, in seconds.
const meterSeconds = 60

// meter counts events, in all and in each of the last seconds. Adding takes a lock, so it is
// meant for batches of events.
type meter struct {
	start time.Time // of second 0, by the monotonic clock

	mu     sync.Mutex
	total  int64
	counts [meterSeconds + 1]int64 // of the current second and those before it; second n is at n modulo their number
	second int64                   // the current one, as of the last call
}

func newMeter() *meter { return &meter{start: time.Now()} }

// add counts n events.
func (m *meter) add(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance()
	m.total += int64(n)
	m.counts[m.second%int64(len(m.counts))] += int64(n)
}

// rates returns the number of events, and the events per second over the last ten and sixty
// whole seconds, or since the start if that is less.
func (m *meter) rates() (total int64, of10s, of60s float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance()
	return m.total, m.rate(10), m.rate(meterSeconds)
}

func (m *meter) rate(seconds int64) float64 {
	seconds = min(seconds, m.second)
	if seconds == 0 {
		return 0
	}
	var sum int64
	for n := m.second - seconds; n < m.second; n++ {
		sum += m.counts[n%int64(len(m.counts))]
	}
	return float64(sum) / float64(seconds)
}

// advance moves to the current second, and clears the counts of older seconds. mu must be locked.
func (m *meter) advance() {
	now := int64(time.Since(m.start) / time.Second)
	for n := max(m.second+1, now-meterSeconds); n <= now; n++ {
		m.counts[n%int64(len(m.counts))] = 0
	}
	m.second = now
}
