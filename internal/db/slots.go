package db

// Slots is how many of each kind may be in the database at a time.
type Slots struct {
	Reads   int // by [DB.Read]
	Sends   int // batches of them: while one is on its way to disk, another is prepared
	Changes int // that are no sends
}

// slotsOf shares out the connections to Postgres, so that none waits for one that is held by
// another kind, which may itself wait for a lock: two are for what sorts in words and
// what watches for changes. There is one of each kind, even where that is more than there are.
func slotsOf(connections int) Slots {
	s := Slots{Sends: 2, Changes: min(4, max(1, connections/4))}
	if connections < 4 {
		s.Sends = 1
	}
	s.Reads = max(1, connections-s.Sends-s.Changes-2)
	return s
}
