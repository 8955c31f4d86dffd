package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
)

// page is the template of the report in Markdown.
//
//go:embed results.md.tmpl
var page string

// report has the results of a run.
type report struct {
	Machine [2]string `json:"measuredOn"` // of the last run
	conditions
	Sections []result `json:"sections"`
}

// conditions are what was measured, and how long.
type conditions struct {
	Server   string  `json:"server"` // the version, and the time
	Rounds   int     `json:"rounds"`
	Duration float64 `json:"durationSeconds"` // of one measurement
}

// result has the figures of a section.
type result struct {
	Name string `json:"name"`
	conditions
	Targets []target `json:"targets,omitempty"`
	Figures []figure `json:"figures,omitempty"`
	Facts   []fact   `json:"facts,omitempty"`

	unjudged bool // nothing is compared with its target
}

// figure is one measurement: the median of each value over the rounds. CPU times are
// microseconds per request, summed over all threads.
type figure struct {
	Subject       string    `json:"subject"`
	Connections   int       `json:"connections"`
	PerSecond     float64   `json:"perSecond"`
	P50           float64   `json:"p50Milliseconds"`
	P99           float64   `json:"p99Milliseconds"`
	P999          float64   `json:"p999Milliseconds"`
	ServerCPU     float64   `json:"serverMicroseconds"`
	PostgresCPU   float64   `json:"postgresMicroseconds"`
	GeneratorCPU  float64   `json:"generatorMicroseconds"`
	ServerWrote   float64   `json:"serverWroteKilobytes"` // to files, per request
	PostgresWrote float64   `json:"postgresWroteKilobytes"`
	PeakMemory    float64   `json:"peakMemoryMiB"`
	Failed        int       `json:"failedRequests"`
	Rounds        []float64 `json:"perSecondOfEachRound"`
}

// values are those of which the median is taken.
func (f *figure) values() []*float64 {
	return []*float64{
		&f.PerSecond, &f.P50, &f.P99, &f.P999, &f.ServerCPU, &f.PostgresCPU, &f.GeneratorCPU, &f.ServerWrote, &f.PostgresWrote, &f.PeakMemory,
	}
}

// ratiosTo are the rates of each round to those of another figure, which was measured beside it.
func (f figure) ratiosTo(other figure) (ratios []float64) {
	for round, rate := range f.Rounds {
		ratios = append(ratios, rate/other.Rounds[round])
	}
	return ratios
}

// fact is a single value.
type fact struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

// target is a bound that a figure should keep.
type target struct {
	Name    string  `json:"name"`
	Limit   float64 `json:"limit"`
	AtMost  bool    `json:"atMost"` // otherwise at least
	Unit    string  `json:"unit"`
	Value   float64 `json:"measured"`
	Verdict string  `json:"verdict"`
}

// record records a value without a target.
func (r *result) record(name string, value float64, unit string) {
	r.Facts = append(r.Facts, fact{name, value, unit})
}

// recordLatencies records the median and the 99th percentile: their medians over the rounds.
func (r *result) recordLatencies(name string, rounds ...*latencies) {
	r.record(name+", p50", medianOf(rounds, 50), "ms")
	r.record(name+", p99", medianOf(rounds, 99), "ms")
}

// atLeast records a target that a value should reach.
func (r *result) atLeast(name string, value, limit float64, unit string) {
	r.judge(target{Name: name, Value: value, Limit: limit, Unit: unit}, value >= limit)
}

// atMost records a target that a value should not exceed.
func (r *result) atMost(name string, value, limit float64, unit string) {
	r.judge(target{Name: name, Value: value, Limit: limit, Unit: unit, AtMost: true}, value <= limit)
}

func (r *result) judge(t target, ok bool) {
	switch {
	case math.IsNaN(t.Value) || math.IsInf(t.Value, 0): // requests failed, or there was no reference to compare with
		t.Value, t.Verdict = 0, "not measured"
	case r.unjudged:
		t.Verdict = "not judged"
	case ok:
		t.Verdict = "pass"
	default:
		t.Verdict = "FAIL"
	}
	r.Targets = append(r.Targets, t)
}

// find returns a figure, or the zero value if it was not measured.
func (r *result) find(subject string, connections int) figure {
	for _, f := range r.Figures {
		if f.Subject == subject && f.Connections == connections {
			return f
		}
	}
	return figure{}
}

// best returns the highest rate of a subject, in requests per second.
func (r *result) best(subject string) (best float64) {
	for _, f := range r.Figures {
		if f.Subject == subject {
			best = max(best, f.PerSecond)
		}
	}
	return best
}

// number formats a number with about three significant digits and a thousands separator.
func number(v float64) string {
	switch {
	case v < 10:
		return strings.TrimSuffix(fmt.Sprintf("%.2f", v), ".00")
	case v < 100:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
	}
	digits := fmt.Sprintf("%.0f", v)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// save writes the report as JSON and Markdown, and the chart, and prints the Markdown. Sections that
// this run has not measured are kept from earlier runs.
func (r *report) save(folder string) error {
	path := filepath.Join(folder, "results.json")
	var earlier report
	if text, err := os.ReadFile(path); err == nil {
		if err := json.Unmarshal(text, &earlier); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	all := slices.Concat(r.Sections, earlier.Sections)
	r.Sections = nil
	for _, name := range sectionNames() {
		if i := slices.IndexFunc(all, func(one result) bool { return one.Name == name }); i >= 0 {
			r.Sections = append(r.Sections, all[i])
		}
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	markdown, err := render(page, template.FuncMap{"number": number}, r)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(os.Stdout, "\n%s", markdown)
	errs := []error{os.MkdirAll(folder, 0o755), os.WriteFile(path, append(text, '\n'), 0o644), os.WriteFile(filepath.Join(folder, "results.md"), markdown, 0o644)}
	if i := slices.IndexFunc(r.Sections, func(one result) bool { return one.Name == "send" }); i >= 0 {
		picture, err := render(chart, r.Sections[i].chartFunctions(), curves)
		errs = append(errs, err, os.WriteFile(filepath.Join(folder, "send-throughput.svg"), picture, 0o644))
	}
	return errors.Join(errs...)
}

// render executes a template.
func render(text string, functions template.FuncMap, data any) ([]byte, error) {
	var b bytes.Buffer
	err := template.Must(template.New("").Funcs(functions).Parse(text)).Execute(&b, data)
	return b.Bytes(), err
}
