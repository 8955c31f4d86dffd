package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of the times in /proc: proc(5) counts so, whatever the kernel's own
// ticks are.
const tick = time.Second / 100

// processTimes is what /proc tells of the time that a process has computed.
type processTimes struct {
	parent int
	own    time.Duration // for itself and in the kernel
	reaped time.Duration // of its children that have ended and been waited for
}

// readTimes reads the times of a process.
func readTimes(pid int) (processTimes, error) {
	path := filepath.Join("/proc", strconv.Itoa(pid), "stat")
	text, err := os.ReadFile(path)
	if err != nil {
		return processTimes{}, err
	}
	// The second field is in brackets and may contain anything, brackets too.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 15 {
		return processTimes{}, fmt.Errorf("%s has only %d fields", path, len(fields)+2)
	}
	var numbers [5]int
	for i, place := range []int{1, 11, 12, 13, 14} {
		if numbers[i], err = strconv.Atoi(fields[place]); err != nil {
			return processTimes{}, fmt.Errorf("%s: %w", path, err)
		}
	}
	return processTimes{
		parent: numbers[0],
		own:    time.Duration(numbers[1]+numbers[2]) * tick,
		reaped: time.Duration(numbers[3]+numbers[4]) * tick,
	}, nil
}

// treeTime is how long a process and all that descend from it have computed, those
// that have ended included.
func treeTime(root int) (time.Duration, error) {
	all := map[int]processTimes{}
	entries, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(filepath.Base(entry))
		if err != nil {
			return 0, err
		}
		if times, err := readTimes(pid); err == nil { // else it has ended meanwhile
			all[pid] = times
		}
	}
	var sum time.Duration
	for pid, times := range all {
		if descends(all, pid, root) {
			sum += times.own + times.reaped
		}
	}
	return sum, nil
}

// descends tells whether a process is root, or descends from it.
func descends(all map[int]processTimes, pid, root int) bool {
	for pid != root {
		times, known := all[pid]
		if !known {
			return false
		}
		pid = times.parent
	}
	return true
}

// ownTime is how long this process has computed, with the children that have ended:
// pgbench is one, for each measurement of its own.
func ownTime() time.Duration {
	var sum int64
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var usage syscall.Rusage
		_ = syscall.Getrusage(who, &usage) // fails only on a wrong argument
		sum += usage.Utime.Nano() + usage.Stime.Nano()
	}
	return time.Duration(sum)
}

// The memory of a process: what it has, and the most it ever had.
const (
	residentMemory = "VmRSS"
	peakMemory     = "VmHWM"
)

// memoryMiB is how many mebibytes of memory a process has.
func memoryMiB(pid int, kind string) (float64, error) {
	kibibytes, err := find(filepath.Join("/proc", strconv.Itoa(pid), "status"), kind+`:\s*(\d+) kB`)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(kibibytes)
	return float64(n) / (1 << 10), err
}

// find returns what the first group of a pattern matches in a file, "unknown" if
// nothing does.
func find(path, pattern string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if found := regexp.MustCompile(pattern).FindSubmatch(text); found != nil {
		return string(found[1]), nil
	}
	return "unknown", nil
}
