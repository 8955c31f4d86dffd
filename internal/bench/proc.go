package main

import (
	"syscall"

	"github.com/prometheus/procfs"
)

// clocks is how many seconds everyone has computed.
type clocks struct{ server, postgres, generator float64 }

// during is how long everyone has computed while fn ran; a server that is nil has not.
func (s *suite) during(server *process, fn func() error) (clocks, error) {
	before := s.clocks(server)
	err := fn()
	after := s.clocks(server)
	return clocks{after.server - before.server, after.postgres - before.postgres, after.generator - before.generator}, err
}

func (s *suite) clocks(server *process) (c clocks) {
	if server != nil {
		stat, _ := server.proc().Stat() // fails only if the server has ended, which its stop reports
		c.server = stat.CPUTime()
	}
	c.postgres = familyTime(s.postgres)
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} { // pgbench is a child
		var usage syscall.Rusage
		_ = syscall.Getrusage(who, &usage) // fails only on a wrong argument
		c.generator += float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
	}
	return c
}

// memoryMiB is how many mebibytes of memory the process has, and the most it ever had.
func (p *process) memoryMiB() (resident, peak float64) {
	status, _ := p.proc().NewStatus() // as above
	return float64(status.VmRSS) / (1 << 20), float64(status.VmHWM) / (1 << 20)
}

func (p *process) proc() procfs.Proc {
	proc, _ := procfs.NewProc(p.command.Process.Pid) // as above
	return proc
}

// familyTime is how many seconds a process and its children have computed, those that have
// ended included. All processes of a Postgres are children of its first.
func familyTime(pid int) (sum float64) {
	all, _ := procfs.AllProcs() // fails only without /proc
	for _, proc := range all {
		stat, err := proc.Stat()
		if err == nil && (stat.PID == pid || stat.PPID == pid) { // an error is that it has ended meanwhile
			sum += stat.CPUTime() + float64(stat.CUTime+stat.CSTime)/100 // proc(5) counts so, whatever the kernel's ticks are
		}
	}
	return sum
}
