package db

// Slots is how many operations of each kind may use the database at a time.
type Slots struct {
	Reads   int // calls of [DB.Read]
	Batches int // group commits, apart from large ones: while one syncs to disk, another is prepared
	Changes int // changes that are committed alone
}

// slotsOf divides the connections to Postgres, so that no operation waits for a connection held by
// another kind, which may itself wait for a lock. Three connections remain: for the one writer of large
// batches, a transaction of the server itself, and a [Watch]. Each kind has at least one slot, even with
// fewer connections.
func slotsOf(connections int) Slots {
	s := Slots{Batches: 2, Changes: min(4, max(1, connections/4))}
	if connections < 4 {
		s.Batches = 1
	}
	s.Reads = max(1, connections-s.Batches-s.Changes-3)
	return s
}
