package db

import "time"

// LetFullPass lets the time pass for which a database counts as full.
func (d *DB) LetFullPass() { d.full.Store(new(time.Now().Add(-fullFor))) }
