//go:build !race

package apitest_test

import "github.com/message-service/message-service/internal/db"

// feedChanges is how many changes TestFeed makes. Three of four are messages.
var feedChanges = map[db.Engine]int{db.Postgres: 13_600, db.SQLite: 13_600}
