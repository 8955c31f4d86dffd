//go:build race

package apitest_test

import "github.com/message-service/message-service/internal/db"

// feedChanges is how many changes TestFeed makes: few, since the race detector slows
// down SQLite, which is Go here, by two orders of magnitude.
var feedChanges = map[db.Engine]int{db.Postgres: 1600, db.SQLite: 320}
