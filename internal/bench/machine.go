package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// machine describes what figures depend on.
type machine struct {
	Cores     int       `json:"cores"`
	Processor string    `json:"processor"`
	MemoryMiB int       `json:"memoryMiB"`
	System    string    `json:"system"`
	Kernel    string    `json:"kernel"`
	Go        string    `json:"go"`
	Postgres  string    `json:"postgres"`
	SQLite    string    `json:"sqlite"`
	Server    string    `json:"server"` // version with its revision
	Date      time.Time `json:"date"`
}

// String describes the machine in two lines.
func (m machine) String() string {
	return fmt.Sprintf("%d cores, %s, %d MiB of memory, %s, Linux %s\n%s, PostgreSQL %s, SQLite %s, %s",
		m.Cores, m.Processor, m.MemoryMiB, m.System, m.Kernel,
		m.Go, m.Postgres, m.SQLite, m.Measured())
}

// Measured names the software that was measured.
func (m machine) Measured() string {
	return fmt.Sprintf("server %s, %s", m.Server, m.Date.Format(time.DateOnly))
}

// describeMachine collects versions and hardware from the system, both engines and the server.
func (s *suite) describeMachine(ctx context.Context) (machine, error) {
	m := machine{Cores: runtime.NumCPU(), Go: runtime.Version(), Date: time.Now().UTC().Truncate(time.Second)}
	m.Processor, m.System, m.Kernel = find("/proc/cpuinfo", `model name\s*: (.*)`), find("/etc/os-release", `PRETTY_NAME="?([^"\n]*)`), find("/proc/sys/kernel/osrelease", `(.*)`)
	m.MemoryMiB = totalMemoryMiB()
	const server = "SELECT current_setting('server_version') || ' with shared_buffers=' || current_setting('shared_buffers')"
	if err := query(ctx, "postgres", s.cluster.URL, server, &m.Postgres); err != nil {
		return m, err
	}
	if err := query(ctx, "sqlite", ":memory:", "SELECT sqlite_version()", &m.SQLite); err != nil {
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
func totalMemoryMiB() int {
	kibibytes, _ := strconv.Atoi(find("/proc/meminfo", `MemTotal:\s*(\d+) kB`)) // 0 if it is not known
	return kibibytes >> 10
}

// find is match on the content of a file.
func find(path, pattern string) string {
	text, _ := os.ReadFile(path)
	return match(text, pattern)
}

// match returns what the first group of a pattern matches, "unknown" if nothing does.
func match(text []byte, pattern string) string {
	if found := regexp.MustCompile(pattern).FindSubmatch(text); found != nil {
		return string(found[1])
	}
	return "unknown"
}
