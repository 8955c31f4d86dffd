package db

// Slots is how many of each kind may be in the database at a time.
type Slots struct {
	Reads   int // by [DB.Read]
	Batches int // of changes that are committed together: while one is on its way to disk, another is prepared
	Changes int // that are committed alone
}

// slotsOf shares out the connections to Postgres, so that none waits for one that is held by
// another kind, which may itself wait for a lock: two are for a statement beside them and a
// [Watch]. There is one of each kind, even where that is more than there are.
func slotsOf(connections int) Slots {
	s := Slots{Batches: 2, Changes: min(4, max(1, connections/4))}
	if connections < 4 {
		s.Batches = 1
	}
	s.Reads = max(1, connections-s.Batches-s.Changes-2)
	return s
}
