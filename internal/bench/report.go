package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// report is everything that a run has found out.
type report struct {
	Machine machine  `json:"machine"`
	Run     run      `json:"run"`
	Targets []target `json:"targets"`
	Figures []figure `json:"figures"`
	Facts   []fact   `json:"facts"`

	// Earlier names the server of each section that an earlier run has measured.
	Earlier map[string]string `json:"earlier,omitempty"`
}

// run is how the figures were made.
type run struct {
	Short    bool    `json:"short"`
	Rounds   int     `json:"rounds"`
	Duration float64 `json:"durationSeconds"` // of one measurement
}

// figure is one measurement: the medians over the rounds, each by itself. Times of
// the processor are microseconds per request, summed over all threads.
type figure struct {
	Section      string    `json:"section"`
	Subject      string    `json:"subject"`
	Connections  int       `json:"connections"`
	Messages     int       `json:"messagesInStore,omitempty"`
	PerSecond    float64   `json:"perSecond"`
	P50          float64   `json:"p50Milliseconds"`
	P99          float64   `json:"p99Milliseconds"`
	P999         float64   `json:"p999Milliseconds"`
	ServerCPU    float64   `json:"serverMicroseconds"`
	PostgresCPU  float64   `json:"postgresMicroseconds"`
	GeneratorCPU float64   `json:"generatorMicroseconds"`
	PeakMemory   float64   `json:"peakMemoryMiB"`
	Failed       int       `json:"failedRequests"`
	Rounds       []float64 `json:"perSecondOfEachRound"`
}

// fact is a single value.
type fact struct {
	Section string  `json:"section"`
	Name    string  `json:"name"`
	Value   float64 `json:"value"`
	Unit    string  `json:"unit"`
}

// target is what a figure should be.
type target struct {
	Section string  `json:"section"`
	Name    string  `json:"name"`
	Limit   float64 `json:"limit"`
	AtMost  bool    `json:"atMost"` // else at least
	Unit    string  `json:"unit"`
	Value   float64 `json:"measured"`
	Missing string  `json:"missing,omitempty"` // why it could not be measured
	Verdict string  `json:"verdict"`
}

// The verdicts on a target.
const (
	passed      = "pass"
	missed      = "FAIL"
	notMeasured = "not measured"
	notJudged   = "not judged" // in a short run
)

func (r *report) add(f figure) { r.Figures = append(r.Figures, f) }

// tell records a value that is no target.
func (r *report) tell(section, name string, value float64, unit string) {
	r.Facts = append(r.Facts, fact{section, name, value, unit})
}

// atLeast records a target that a value should reach.
func (r *report) atLeast(section, name string, value, limit float64, unit string) {
	r.judge(target{Section: section, Name: name, Value: value, Limit: limit, Unit: unit}, value >= limit)
}

// atMost records a target that a value should not exceed.
func (r *report) atMost(section, name string, value, limit float64, unit string) {
	r.judge(target{Section: section, Name: name, Value: value, Limit: limit, Unit: unit, AtMost: true}, value <= limit)
}

func (r *report) judge(t target, ok bool) {
	switch {
	case math.IsNaN(t.Value) || math.IsInf(t.Value, 0): // compared with nothing
		r.missing(t.Section, t.Name, "nothing was answered")
		return
	case r.Run.Short:
		t.Verdict = notJudged
	case ok:
		t.Verdict = passed
	default:
		t.Verdict = missed
	}
	r.Targets = append(r.Targets, t)
}

// missing records a target that could not be measured.
func (r *report) missing(section, name, why string) {
	r.Targets = append(r.Targets, target{Section: section, Name: name, Missing: why, Verdict: notMeasured})
}

// find returns a figure of a section; the zero one if it was not measured.
func (r *report) find(section, subject string, connections int) figure {
	for _, f := range r.Figures {
		if f.Section == section && f.Subject == subject && f.Connections == connections {
			return f
		}
	}
	return figure{}
}

// best returns the figure of a subject with the most requests a second.
func (r *report) best(section, subject string) (best figure) {
	for _, f := range r.Figures {
		if f.Section == section && f.Subject == subject && f.PerSecond > best.PerSecond {
			best = f
		}
	}
	return best
}

// failed is how many requests failed in the whole run.
func (r *report) failed() (n int) {
	for _, f := range r.Figures {
		n += f.Failed
	}
	return n
}

// wanted writes what the target asks for.
func (t target) wanted() string {
	if t.Missing != "" {
		return t.Name
	}
	sign := "≥"
	if t.AtMost {
		sign = "≤"
	}
	return fmt.Sprintf("%s %s %s %s", t.Name, sign, number(t.Limit), t.Unit)
}

// measured writes what it got.
func (t target) measured() string {
	if t.Missing != "" {
		return t.Missing
	}
	return number(t.Value) + " " + t.Unit
}

// number writes a number with about three significant digits, and thousands apart.
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

// save writes the report, for programs and for people, and the charts.
func (r *report) save(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "results.json"), append(text, '\n'), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "results.md"), []byte(r.markdown()), 0o644); err != nil {
		return err
	}
	return r.draw(folder)
}
