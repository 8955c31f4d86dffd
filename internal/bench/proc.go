package main

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"github.com/prometheus/procfs"
)

// usage is what processes have used: CPU time in seconds, and kilobytes that they have written to files. Linux
// counts a whole folio of its page cache for each write to it, 256 KiB in the log that Postgres fills with zeros
// in advance; so what counts for Postgres is what it handed to the system.
type usage struct{ server, postgres, generator, serverWrote, postgresWrote float64 }

// during returns what was used while fn ran; a nil server uses nothing.
func (s *suite) during(server *process, fn func() error) (usage, error) {
	before := s.usage(server)
	err := fn()
	after := s.usage(server)
	return usage{
		after.server - before.server, after.postgres - before.postgres, after.generator - before.generator,
		after.serverWrote - before.serverWrote, after.postgresWrote - before.postgresWrote,
	}, err
}

func (s *suite) usage(server *process) (u usage) {
	if server != nil {
		seconds, io := usageOf(server.command.Process.Pid)
		u.server, u.serverWrote = seconds, float64(io.WriteBytes)/1000
	}
	seconds, io := usageOf(s.postgres)
	u.postgres, u.postgresWrote = seconds, float64(io.WChar)/1000
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} { // pgbench is a child
		var usage syscall.Rusage
		_ = syscall.Getrusage(who, &usage) // fails only on a wrong argument
		u.generator += float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
	}
	return u
}

// memoryMiB returns the process's resident memory in MiB, now and at its peak.
func (p *process) memoryMiB() (resident, peak float64) {
	proc, _ := procfs.NewProc(p.command.Process.Pid) // fails only if it has ended, which its stop reports
	status, _ := proc.NewStatus()                    // as above
	return float64(status.VmRSS) / (1 << 20), float64(status.VmHWM) / (1 << 20)
}

// family are a process and its children. All processes of a Postgres are children of the postmaster.
func family(pid int) (family []procfs.Proc) {
	all, _ := procfs.AllProcs() // fails only without /proc
	for _, proc := range all {
		if stat, err := proc.Stat(); err == nil && (stat.PID == pid || stat.PPID == pid) { // an error means that it has ended meanwhile
			family = append(family, proc)
		}
	}
	return family
}

// usageOf returns the CPU seconds of a process and its children, including those that have ended, and the bytes
// that they have written.
func usageOf(pid int) (seconds float64, io procfs.ProcIO) {
	for _, proc := range family(pid) {
		stat, _ := proc.Stat()
		seconds += stat.CPUTime() + float64(stat.CUTime+stat.CSTime)/100 // in USER_HZ, which is 100 whatever the kernel's HZ
		one, _ := proc.IO()                                              // 0 for the processes of other users
		io.WriteBytes += one.WriteBytes
		io.WChar += one.WChar
	}
	return seconds, io
}

// pin has processes use these cores only; so do those that they start.
func pin(cores []uint64, processes ...procfs.Proc) (err error) {
	list := strings.Trim(strings.ReplaceAll(fmt.Sprint(cores), " ", ","), "[]")
	for _, proc := range processes {
		err = errors.Join(err, execute(exec.Command("taskset", "--all-tasks", "--cpu-list", "--pid", list, strconv.Itoa(proc.PID))))
	}
	return err
}
