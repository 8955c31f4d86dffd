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

// describeMachine returns what figures depend on, in two lines, and the server that is measured, with the date.
func (s *suite) describeMachine(ctx context.Context) (lines [2]string, server string, err error) {
	var postgres, sqlite string
	const version = "SELECT current_setting('server_version') || ' with shared_buffers=' || current_setting('shared_buffers')"
	if err := query(ctx, "postgres", s.cluster.URL, version, &postgres); err != nil {
		return lines, "", err
	}
	if err := query(ctx, "sqlite", ":memory:", "SELECT sqlite_version()", &sqlite); err != nil {
		return lines, "", err
	}
	output, err := exec.CommandContext(ctx, s.Binary, "version").Output()
	if err != nil {
		return lines, "", fmt.Errorf("%s (make build makes it): %w", s.Binary, err)
	}
	server = fmt.Sprintf("server %s, %s", strings.TrimSpace(string(output)), time.Now().UTC().Format(time.DateOnly))
	lines[0] = fmt.Sprintf("%d cores, %s, %d MiB of memory, %s, Linux %s", runtime.NumCPU(), find("/proc/cpuinfo", `model name\s*: (.*)`),
		totalMemoryMiB(), find("/etc/os-release", `PRETTY_NAME="?([^"\n]*)`), find("/proc/sys/kernel/osrelease", `(.*)`))
	lines[1] = fmt.Sprintf("%s, PostgreSQL %s, SQLite %s, %s", runtime.Version(), postgres, sqlite, server)
	return lines, server, nil
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
