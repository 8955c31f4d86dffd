package main

import (
	"syscall"

	"github.com/prometheus/procfs"
)

// cpuTimes are the CPU seconds of the processes.
type cpuTimes struct{ server, postgres, generator float64 }

// during returns the CPU times while fn ran; a nil server has none.
func (s *suite) during(server *process, fn func() error) (cpuTimes, error) {
	before := s.cpuTimes(server)
	err := fn()
	after := s.cpuTimes(server)
	return cpuTimes{after.server - before.server, after.postgres - before.postgres, after.generator - before.generator}, err
}

func (s *suite) cpuTimes(server *process) (c cpuTimes) {
	if server != nil {
		stat, _ := server.proc().Stat() // fails only if the server has ended, which its stop reports
		c.server = stat.CPUTime()
	}
	c.postgres = cpuSeconds(s.postgres)
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} { // pgbench is a child
		var usage syscall.Rusage
		_ = syscall.Getrusage(who, &usage) // fails only on a wrong argument
		c.generator += float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
	}
	return c
}

// memoryMiB returns the process's resident memory in MiB, now and at its peak.
func (p *process) memoryMiB() (resident, peak float64) {
	status, _ := p.proc().NewStatus() // as above
	return float64(status.VmRSS) / (1 << 20), float64(status.VmHWM) / (1 << 20)
}

func (p *process) proc() procfs.Proc {
	proc, _ := procfs.NewProc(p.command.Process.Pid) // as above
	return proc
}

// cpuSeconds returns the CPU seconds of a process and its children, including those that have
// ended. All processes of a Postgres are children of the postmaster.
func cpuSeconds(pid int) (sum float64) {
	all, _ := procfs.AllProcs() // fails only without /proc
	for _, proc := range all {
		stat, err := proc.Stat()
		if err == nil && (stat.PID == pid || stat.PPID == pid) { // an error means that it has ended meanwhile
			sum += stat.CPUTime() + float64(stat.CUTime+stat.CSTime)/100 // in USER_HZ, which is 100 whatever the kernel's HZ
		}
	}
	return sum
}
