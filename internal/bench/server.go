package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"time"

	"github.com/message-service/message-service/internal/db"
)

// process is a program that answers HTTP, in a process of its own.
type process struct {
	address string // host:port
	debug   string // host:port of its profiles; empty if it was not asked for any
	logPath string
	command *exec.Cmd
	ended   chan struct{} // closed when it has
	err     error         // how it has ended
}

// served finds the address in the line that tells where a program serves.
var served = regexp.MustCompile(`http://([^/\s]+)`)

// startProcess starts a program that prints where it serves, and waits until it does.
// Its environment is empty, so that nothing but its arguments decides what it does;
// what it logs goes into a file.
func startProcess(ctx context.Context, logPath, path string, args ...string) (*process, error) {
	p := &process{logPath: logPath, command: exec.Command(path, args...), ended: make(chan struct{})}
	log, err := os.Create(logPath)
	if err != nil {
		return nil, err
	}
	defer log.Close() //nolint:errcheck // the process has it open for itself
	p.command.Env, p.command.Stderr = []string{}, log
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt is for this process, which then ends that one
	output, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	stopKilling := context.AfterFunc(ctx, p.kill)
	defer stopKilling()
	lines := bufio.NewScanner(output)
	for p.address == "" && lines.Scan() {
		if found := served.FindStringSubmatch(lines.Text()); found != nil {
			p.address = found[1]
		}
	}
	go func() {
		_, _ = io.Copy(io.Discard, output) // so that it never waits for a reader
		p.err = p.command.Wait()
		close(p.ended)
	}()
	if p.address == "" {
		<-p.ended
		return nil, fmt.Errorf("%s did not start: %w\n%s", path, p.err, p.log())
	}
	return p, nil
}

// pid is the number by which the system knows the process.
func (p *process) pid() int { return p.command.Process.Pid }

func (p *process) kill() { _ = p.command.Process.Kill() } // fails only if it has ended

// log returns the beginning of what the process has logged.
func (p *process) log() string {
	text, _ := os.ReadFile(p.logPath)
	return string(text[:min(len(text), 2000)])
}

// stop asks the process to end and waits until it has. It fails if it had ended before,
// or would not.
func (p *process) stop() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s has ended by itself: %w\n%s", p.command.Path, p.err, p.log())
	default:
	}
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.ended:
		return p.err
	case <-time.After(time.Minute):
		p.kill()
		<-p.ended
		return errors.New(p.command.Path + " did not end within a minute")
	}
}

// server is the message service on a database.
type server struct {
	*process

	engine db.Engine
}

// title is the engine as people write it.
func (s *server) title() string { return titles[s.engine] }

var (
	engines = []db.Engine{db.Postgres, db.SQLite}
	titles  = map[db.Engine]string{db.Postgres: onPostgres, db.SQLite: onSQLite}
)

// startServer starts the binary on a new, empty database of the engine until the
// section ends.
func (s *suite) startServer(ctx context.Context, engine db.Engine, options ...string) (*server, error) {
	url, err := s.newDatabase(ctx, engine)
	if err != nil {
		return nil, err
	}
	return s.startServerOn(ctx, engine, url, options...)
}

// startServerOn starts the binary on a database until the section ends. It logs
// warnings only, where by default it logs every request, and has an address for
// profiles if there are to be any.
func (s *suite) startServerOn(ctx context.Context, engine db.Engine, url string, options ...string) (*server, error) {
	args := []string{"serve", "--listen-address", "127.0.0.1:0", "--log-level", "warn", "--database-url", url}
	var debug string
	if s.Profile != "" || s.Soak > 0 {
		var err error
		if debug, err = freeAddress(); err != nil {
			return nil, err
		}
		args = append(args, "--debug-address", debug)
	}
	p, err := startProcess(ctx, s.newPath("server.log"), s.Binary, append(args, options...)...)
	if err != nil {
		return nil, err
	}
	p.debug = debug
	s.atEnd(p.stop)
	return &server{process: p, engine: engine}, nil
}
