package main

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// machine is what figures depend on.
type machine struct {
	Cores     int       `json:"cores"`
	Processor string    `json:"processor"`
	MemoryMiB int       `json:"memoryMiB"`
	System    string    `json:"system"`
	Kernel    string    `json:"kernel"`
	Go        string    `json:"go"`
	Postgres  string    `json:"postgres"`
	SQLite    string    `json:"sqlite"`
	Server    string    `json:"server"` // its version, which names a revision
	Date      time.Time `json:"date"`
}

// String describes the machine in two lines.
func (m machine) String() string {
	return fmt.Sprintf("%d cores, %s, %d MiB of memory, %s, Linux %s\n%s, PostgreSQL %s, SQLite %s, server %s, %s",
		m.Cores, m.Processor, m.MemoryMiB, m.System, m.Kernel,
		m.Go, m.Postgres, m.SQLite, m.Server, m.Date.Format(time.DateOnly))
}

// describeMachine asks the system, both engines and the server.
func (s *suite) describeMachine(ctx context.Context) (machine, error) {
	m := machine{Cores: runtime.NumCPU(), Go: runtime.Version(), Date: time.Now().UTC().Truncate(time.Second)}
	for _, fact := range []struct {
		value         *string
		path, pattern string
	}{
		{&m.Processor, "/proc/cpuinfo", `model name\s*: (.*)`},
		{&m.System, "/etc/os-release", `PRETTY_NAME="?([^"\n]*)`},
		{&m.Kernel, "/proc/sys/kernel/osrelease", `(.*)`},
	} {
		var err error
		if *fact.value, err = find(fact.path, fact.pattern); err != nil {
			return m, err
		}
	}
	var err error
	if m.MemoryMiB, err = totalMemoryMiB(); err != nil {
		return m, err
	}
	const server = "SELECT current_setting('server_version') || ' with shared_buffers=' || current_setting('shared_buffers')"
	if m.Postgres, err = engineVersion(ctx, s.cluster.URL, server); err != nil {
		return m, err
	}
	if m.SQLite, err = engineVersion(ctx, "sqlite:"+s.newPath("version.db"), "SELECT sqlite_version()"); err != nil {
		return m, err
	}
	version, err := exec.CommandContext(ctx, s.Binary, "version").Output()
	if err != nil {
		return m, fmt.Errorf("%s (make build makes it): %w", s.Binary, err)
	}
	m.Server = strings.TrimSpace(string(version))
	return m, nil
}

// totalMemoryMiB is the memory of the machine.
func totalMemoryMiB() (int, error) {
	found, err := find("/proc/meminfo", `MemTotal:\s*(\d+) kB`)
	if err != nil {
		return 0, err
	}
	kibibytes, err := strconv.Atoi(found)
	return kibibytes >> 10, err
}

// engineVersion asks a database for its version.
func engineVersion(ctx context.Context, url, question string) (version string, err error) {
	database, err := db.Open(url, db.Options{MaxConnections: 2})
	if err != nil {
		return "", err
	}
	defer database.Close() //nolint:errcheck // nothing was written
	err = database.Tx(ctx, time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		return tx.GetContext(ctx, &version, question)
	})
	return version, err
}
