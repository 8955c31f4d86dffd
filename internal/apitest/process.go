package apitest

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"syscall"
	"testing"
	"time"
)

// Process is the program, serving in a process of its own.
type Process struct {
	*Client

	Log         *bytes.Buffer // read it only after the process has ended
	Environment []string      // of programs that use it, beside that of the test: at first the pairs that it was given itself

	cmd  *exec.Cmd
	done chan error // holds the result once the process has ended
}

var documentation = regexp.MustCompile(`(https?://\S+)/docs/`)

// StartProcess starts the program at path on a free port, waits until it prints its
// URL, and kills it after the test. Its environment is that of this process with the
// given name=value pairs.
func StartProcess(t testing.TB, path, databaseURL string, environment ...string) *Process {
	t.Helper()
	p := &Process{Log: &bytes.Buffer{}, Environment: environment, done: make(chan error, 1)}
	p.cmd = exec.Command(path, "serve", "--listen-address", "127.0.0.1:0")
	p.cmd.Env = slices.Concat(os.Environ(), []string{"LOG_LEVEL=warn", "DATABASE_URL=" + databaseURL}, environment)
	p.cmd.Stderr = p.Log
	output, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	var url string
	for url == "" && lines.Scan() {
		if found := documentation.FindStringSubmatch(lines.Text()); found != nil {
			url = found[1]
		}
	}
	go func() {
		for lines.Scan() { // so that it never blocks on a full pipe
			continue
		}
		p.done <- p.cmd.Wait()
	}()
	t.Cleanup(p.Kill)
	if url == "" {
		err := <-p.done
		p.done <- err // for Kill
		t.Fatalf("it did not start: %v\n%s", err, p.Log)
	}
	p.Client = NewClient(t, url)
	return p
}

// Kill sends SIGKILL and waits for the end of the process.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended on its own
	err := <-p.done
	p.done <- err
}

// Stop sends SIGTERM, waits for the end of the process, and returns its error.
func (p *Process) Stop(t testing.TB) error {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-p.done:
		p.done <- err
		return err
	case <-time.After(time.Minute):
		t.Fatal("it did not end")
		return nil
	}
}
