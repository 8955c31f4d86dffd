// Bench measures the built server. It starts it as a process on each engine, sends it
// requests over HTTP, and in the same run measures pgbench doing the same work on the same
// Postgres. So every figure has a reference that was measured on the same machine under the
// same conditions.
//
// A section measures one subject, and stops at its end all that it has started. Its
// measurements are interleaved in rounds, and each figure is the median of the rounds. To
// add a section, write its file and add it to sections.
//
// Bench reads /proc, so it runs on Linux only.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// benchCommand is the command line.
type benchCommand struct {
	Short    bool          `help:"Try everything in under a minute, judge nothing, and fail if any request does."`
	Rounds   int           `default:"5" help:"How often each measurement is made."`
	Duration time.Duration `default:"3s" help:"How long one measurement takes."`
	Only     []string      `placeholder:"SECTION" enum:"${sections}" help:"Run these sections only (${sections})."`
	Others   int           `default:"2000000" help:"Messages of others in the larger store of the section mailboxes, at least 20000."`
	Soak     time.Duration `default:"10m" help:"How long the section soak takes, which runs only if it is named."`
	Profile  string        `placeholder:"DIR" type:"existingdir" help:"Save a profile of the server under each measurement; the figures suffer."`
	Out      string        `placeholder:"DIR" help:"Write the results, which are always printed, and the chart into this folder. What is there of other sections is kept."`
	Binary   string        `default:"../../bin/message-service" help:"The server."`
	Floor    bool          `hidden:"" help:"Serve answers that cost nothing, to measure what HTTP costs."`
}

var sections = []struct {
	name string
	run  func(*suite, context.Context) error
}{
	{"send", (*suite).send},
	{"page", (*suite).page},
	{"authentication", (*suite).authentication},
	{"groups", (*suite).groups},
	{"mailboxes", (*suite).mailboxes},
	{"start", (*suite).start},
	{"overload", (*suite).overload},
	{"streams", (*suite).streams},
	{"soak", (*suite).soak},
}

func sectionNames() (names []string) {
	for _, section := range sections {
		names = append(names, section.name)
	}
	return names
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	command := kong.Parse(&benchCommand{},
		kong.Name("bench"),
		kong.Description("Measures bin/message-service, which make build makes, on both engines. It exits with 1 if something failed, "+
			"and with 0 also where a target is missed."),
		kong.Vars{"sections": strings.Join(sectionNames(), ",")},
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err := command.Run(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// Run runs the sections, and writes the report even if one fails.
func (c *benchCommand) Run(ctx context.Context) (err error) {
	if c.Floor {
		return serveFloor(ctx)
	}
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		_, _ = fmt.Fprintln(os.Stdout, "Nothing is measured: this machine has no /proc, which only Linux has.")
		return nil
	}
	if c.Short {
		c.Rounds, c.Duration, c.Others = 1, 150*time.Millisecond, 20_000
	}
	s, err := openSuite(*c)
	defer func() { err = errors.Join(err, s.close()) }()
	if err != nil {
		return err
	}
	machine, server, err := s.describeMachine(ctx)
	if err != nil {
		return err
	}
	r := &report{Machine: machine, conditions: conditions{server, c.Rounds, c.Duration.Seconds()}}
	_, _ = fmt.Fprintf(os.Stdout, "%s\n%s\n", machine[0], machine[1])
	failed := s.runSections(ctx, r)
	if ctx.Err() != nil { // the results are incomplete
		return failed
	}
	return errors.Join(failed, r.save(cmp.Or(s.Out, s.directory)))
}

// runSections runs the chosen sections, even after one has failed.
func (s *suite) runSections(ctx context.Context, r *report) error {
	var errs []error
	for _, section := range sections {
		if !s.wants(section.name) || ctx.Err() != nil {
			continue
		}
		s.result = &result{Name: section.name, conditions: r.conditions, unjudged: s.Short}
		err := errors.Join(section.run(s, ctx), s.endSection())
		for _, f := range s.result.Figures {
			if f.Failed > 0 {
				err = errors.Join(err, fmt.Errorf("%s: %d requests failed", f.Subject, f.Failed))
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", section.name, err))
			s.progress("%s: %v", section.name, err)
		}
		r.Sections = append(r.Sections, *s.result)
	}
	return errors.Join(append(errs, ctx.Err())...)
}

// wants reports whether a section was chosen; a soak is not part of all, since it takes long.
func (s *suite) wants(section string) bool {
	return slices.Contains(s.Only, section) || len(s.Only) == 0 && section != "soak"
}
