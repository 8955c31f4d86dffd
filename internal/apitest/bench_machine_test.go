package apitest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// printMachine prints what figures depend on, as lines of the benchmark format.
func printMachine(b *testing.B, database *db.DB) {
	b.Helper()
	version := "SELECT 'SQLite ' || sqlite_version()"
	if database.Engine == db.Postgres {
		version = "SELECT 'PostgreSQL ' || current_setting('server_version')"
	}
	var engine string
	err := database.Read(b.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.GetContext(ctx, q, &engine, version)
	})
	if err != nil {
		b.Fatal(err)
	}
	system, _ := strconv.Unquote(find(b, "/etc/os-release", `PRETTY_NAME=(.*)`)) // a shell's string, mostly the same
	_, _ = fmt.Fprintf(os.Stdout, "machine: %d cores, %s, %d MiB of memory\n", runtime.NumCPU(),
		find(b, "/proc/cpuinfo", `model name\s*: (.*)`), findInt(b, "/proc/meminfo", `MemTotal:\s*(\d+) kB`)>>10)
	_, _ = fmt.Fprintf(os.Stdout, "software: %s, Linux %s, %s, %s\n", system, find(b, "/proc/sys/kernel/osrelease", `(.*)`), runtime.Version(), engine)
}

// residentMemory is how many bytes of memory a process has.
func residentMemory(b *testing.B, pid int) int {
	b.Helper()
	return findInt(b, filepath.Join("/proc", strconv.Itoa(pid), "status"), `VmRSS:\s*(\d+) kB`) << 10
}

// processorTime is how long a process has computed, for itself and in the kernel.
func processorTime(b *testing.B, pid int) time.Duration {
	b.Helper()
	const tick = time.Second / 100 // proc(5) counts so, whatever the kernel's own ticks are
	path := filepath.Join("/proc", strconv.Itoa(pid), "stat")
	fields := strings.Fields(find(b, path, `\) (.*)`)) // from the third on; the second may contain anything
	if len(fields) < 13 {
		b.Fatalf("%s has only %d fields", path, len(fields)+2)
	}
	var ticks int
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick
}

// find returns what the first group of a pattern matches in a file of Linux.
func find(b *testing.B, path, pattern string) string {
	b.Helper()
	if runtime.GOOS != "linux" {
		b.Skip("reads /proc, which only Linux has")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	found := regexp.MustCompile(pattern).FindSubmatch(text)
	if found == nil {
		return "unknown" // not every machine tells everything
	}
	return string(found[1])
}

func findInt(b *testing.B, path, pattern string) int {
	b.Helper()
	n, err := strconv.Atoi(find(b, path, pattern))
	if err != nil {
		b.Fatalf("%s: %v", path, err)
	}
	return n
}
