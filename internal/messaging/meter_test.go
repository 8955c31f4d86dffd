package messaging

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestMeter counts one event a second for two minutes, and then none for one.
func TestMeter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMeter()
		expect := func(total int64, of10s, of60s float64) {
			t.Helper()
			if n, a, b := m.rates(); n != total || a != of10s || b != of60s {
				t.Errorf("after %s: %d, %g, %g, want %d, %g, %g", time.Since(m.start), n, a, b, total, of10s, of60s)
			}
		}
		expect(0, 0, 0)
		for range 120 {
			m.add(1)
			<-time.After(time.Second)
			if m.second < 3 { // a short history is not diluted by the time before it
				expect(m.total, 1, 1)
			}
		}
		expect(120, 1, 1)
		m.add(600) // rates count the current second when it is over
		expect(720, 1, 1)
		<-time.After(time.Second)
		expect(720, 60.9, 659.0/60)
		<-time.After(10 * time.Second)
		expect(720, 0, 649.0/60)
		<-time.After(50 * time.Second)
		expect(720, 0, 0)
		<-time.After(time.Hour)
		m.add(20)
		<-time.After(time.Second)
		expect(740, 2, 20.0/60)
	})
}
