package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// printTargets writes the targets as a table for the terminal.
func (r *report) printTargets(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "\ntarget\tmeasured\t")
	for _, t := range r.Targets {
		_, _ = fmt.Fprintf(table, "%s: %s\t%s\t%s\n", t.Section, t.wanted(), t.measured(), t.Verdict)
	}
	return table.Flush()
}

// markdown writes the report for people.
func (r *report) markdown() string {
	var b strings.Builder
	b.WriteString("# Measured by `make bench`\n\n")
	for line := range strings.Lines(r.Machine.String()) {
		b.WriteString(strings.TrimSpace(line) + "  \n")
	}
	fmt.Fprintf(&b, "The server, Postgres and the load generator shared these cores. Each figure is the median of %d rounds of %s s.  \n",
		r.Run.Rounds, number(r.Run.Duration))
	for _, section := range slices.Sorted(maps.Keys(r.Earlier)) {
		fmt.Fprintf(&b, "Of an earlier run, %s: %s.  \n", r.Earlier[section], section)
	}
	b.WriteString("\n| target | measured | |\n|---|---|---|\n")
	for _, t := range r.Targets {
		fmt.Fprintf(&b, "| %s: %s | %s | %s |\n", t.Section, t.wanted(), t.measured(), t.Verdict)
	}
	for _, section := range r.sections() {
		fmt.Fprintf(&b, "\n## %s\n", section)
		r.writeFigures(&b, section)
		r.writeFacts(&b, section)
	}
	return b.String()
}

// sections are the sections that have figures or facts, in the order of the run.
func (r *report) sections() (names []string) {
	for _, f := range r.Figures {
		names = append(names, f.Section)
	}
	for _, f := range r.Facts {
		names = append(names, f.Section)
	}
	inOrder := slices.Clone(sectionNames())
	return slices.DeleteFunc(inOrder, func(name string) bool { return !slices.Contains(names, name) })
}

func (r *report) writeFigures(b *strings.Builder, section string) {
	first := true
	for _, f := range r.Figures {
		if f.Section != section {
			continue
		}
		if first {
			b.WriteString("\n| | connections | per second | p50 ms | p99 ms | p99.9 ms | µs of server | of Postgres | of client | peak MiB |\n" +
				"|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
			first = false
		}
		fmt.Fprintf(b, "| %s | %d | %s | %s | %s | %s | %s | %s | %s | %s |\n", f.Subject, f.Connections, number(f.PerSecond),
			number(f.P50), number(f.P99), number(f.P999), number(f.ServerCPU), number(f.PostgresCPU), number(f.GeneratorCPU), number(f.PeakMemory))
	}
}

func (r *report) writeFacts(b *strings.Builder, section string) {
	first := true
	for _, f := range r.Facts {
		if f.Section != section {
			continue
		}
		if first {
			b.WriteString("\n| | |\n|---|--:|\n")
			first = false
		}
		fmt.Fprintf(b, "| %s | %s |\n", f.Name, strings.TrimSpace(number(f.Value)+" "+f.Unit))
	}
}
