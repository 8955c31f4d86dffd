package messaging

import (
	"sync"
	"time"
)

// meterSeconds is how many whole seconds a meter looks back at most.
const meterSeconds = 60

// meter counts events, and how many there were in each of the last seconds. It is for
// batches of events: adding takes a lock.
type meter struct {
	start time.Time // from which seconds are counted, by the monotonic clock

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

// rates returns how many events there were, and how many a second over the last ten and sixty
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

// advance forgets the seconds that are too long ago. It is called with mu locked.
func (m *meter) advance() {
	now := int64(time.Since(m.start) / time.Second)
	for n := max(m.second+1, now-meterSeconds); n <= now; n++ {
		m.counts[n%int64(len(m.counts))] = 0
	}
	m.second = now
}
