package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"syscall"
	"time"
)

// process is a program that serves HTTP in its own process.
type process struct {
	address string // host:port
	debug   string // host:port of its profiles; "" if it serves none
	logPath string
	command *exec.Cmd
	end     context.CancelFunc

	afterRounds []float64 // its resident memory in MiB
}

// served matches the address in the line that a program prints when it serves.
var served = regexp.MustCompile(`http://([^/\s]+)`)

// startProcess starts a program, waits until it prints its address, and stops it when the section ends.
// Its environment is empty, so that only its arguments configure it.
func (s *suite) startProcess(ctx context.Context, path string, args ...string) (*process, error) {
	p := &process{logPath: s.newPath("log")}
	ctx, p.end = context.WithCancel(ctx)
	p.command = exec.CommandContext(ctx, path, args...)
	p.command.Cancel = func() error { return p.command.Process.Signal(syscall.SIGTERM) }
	p.command.WaitDelay = time.Minute                           // then it is killed
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C interrupts only this process, which then stops that one
	log, err := os.Create(p.logPath)
	if err != nil {
		return nil, err
	}
	defer log.Close() //nolint:errcheck // the process has it open for itself
	p.command.Env, p.command.Stderr = []string{}, log
	output, err := p.command.StdoutPipe()
	if err == nil {
		err = p.command.Start()
	}
	if err != nil {
		return nil, err
	}
	s.cleanup = append(s.cleanup, p.stop)
	lines := bufio.NewScanner(output)
	for p.address == "" && lines.Scan() {
		if found := served.FindStringSubmatch(lines.Text()); found != nil {
			p.address = found[1]
		}
	}
	if p.address == "" {
		return nil, errors.New(path + " did not start")
	}
	go io.Copy(io.Discard, output) //nolint:errcheck // only so that it never blocks on a full pipe
	return p, nil
}

// stop interrupts the process and waits for its end. It fails if it had failed before, or has to be killed.
func (p *process) stop() error {
	p.end()
	err := p.command.Wait()
	if errors.Is(err, context.Canceled) { // because of the interrupt
		return nil
	}
	text, _ := os.ReadFile(p.logPath)
	return fmt.Errorf("%s: %w\n%.2000s", p.command.Path, err, text)
}

// server is the message service on a database.
type server struct {
	*process

	engine   engine
	database string // its URL
}

// startServer starts the binary on a new, empty database of the engine until the
// section ends.
func (s *suite) startServer(ctx context.Context, engine engine, options ...string) (*server, error) {
	database, err := engine.newDatabase(s, ctx)
	if err != nil {
		return nil, err
	}
	p, err := s.startServerOn(ctx, database, options...)
	return &server{process: p, engine: engine, database: database}, err
}

// onEach starts a server on each engine and calls fn for it.
func (s *suite) onEach(ctx context.Context, fn func(*server) error, options ...string) error {
	for _, engine := range engines {
		server, err := s.startServer(ctx, engine, options...)
		if err == nil {
			err = fn(server)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", engine.title, err)
		}
	}
	return nil
}

// startServerOn starts the binary on a database until the section ends. It logs warnings
// only rather than every request, and serves profiles if they were requested. Requests need the
// service key, if the options do not say otherwise.
func (s *suite) startServerOn(ctx context.Context, database string, options ...string) (*process, error) {
	args := []string{"serve", "--listen-address", "127.0.0.1:0", "--log-level", "warn", "--database-url", database}
	if !slices.Contains(options, "--auth") {
		args = append(args, "--service-key", serviceKey)
	}
	var debug string
	if s.Profile != "" || s.wants("soak") {
		unused := httptest.NewServer(nil)
		debug = unused.Listener.Addr().String()
		unused.Close()
		args = append(args, "--debug-address", debug)
	}
	p, err := s.startProcess(ctx, s.Binary, append(args, options...)...)
	if err == nil {
		p.debug = debug
	}
	return p, err
}
