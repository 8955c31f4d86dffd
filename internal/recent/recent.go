// Package recent is a map that forgets what was not used lately, so that it stays small however many keys
// it meets.
package recent

import "sync"

// Map is such a map. It is safe for concurrent use.
//
// It has two generations, each of at most half its size. What is put or found is in the young one; once that
// is full it becomes the old one, and what was in the old one is forgotten. So a value that is used at least
// once in as many uses of others as half the size is kept. An exact order of use would keep little more, and
// take a list to maintain.
type Map[K comparable, V any] struct {
	half  int
	weigh func(V) int

	mu         sync.Mutex
	young, old map[K]V
	weight     int // of the young one
}

// New makes a map that holds at most size values; size is at least 2.
func New[K comparable, V any](size int) *Map[K, V] {
	return NewWeighed[K](size, func(V) int { return 1 })
}

// NewWeighed makes a map that holds values which weigh at most size together, or else no more than one in each
// generation.
func NewWeighed[K comparable, V any](size int, weigh func(V) int) *Map[K, V] {
	return &Map[K, V]{half: size / 2, weigh: weigh, young: map[K]V{}}
}

// Get returns the value of a key, if it is there.
func (m *Map[K, V]) Get(key K) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.get(key)
}

// GetOrPut returns the value of a key, and puts a new one if it is not there.
func (m *Map[K, V]) GetOrPut(key K, newValue func() V) V {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, ok := m.get(key)
	if !ok {
		value = newValue()
		m.put(key, value)
	}
	return value
}

// Put sets the value of a key.
func (m *Map[K, V]) Put(key K, value V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(key, value)
}

// Len returns how many values it holds.
func (m *Map[K, V]) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.young) + len(m.old)
}

func (m *Map[K, V]) get(key K) (V, bool) {
	value, ok := m.young[key]
	if ok {
		return value, true
	}
	if value, ok = m.old[key]; ok {
		m.put(key, value)
	}
	return value, ok
}

func (m *Map[K, V]) put(key K, value V) {
	if before, ok := m.young[key]; ok {
		m.weight -= m.weigh(before)
		delete(m.young, key)
	}
	weight := m.weigh(value)
	if len(m.young) > 0 && m.weight+weight > m.half {
		m.young, m.old, m.weight = make(map[K]V, len(m.young)), m.young, 0
	}
	m.young[key] = value
	m.weight += weight
}
