package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// keep takes over what an earlier run has left in a folder of results, but for the
// sections that this one has measured, and notes which server that was.
func (r *report) keep(folder string, measured func(section string) bool) error {
	text, err := os.ReadFile(filepath.Join(folder, "results.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var earlier report
	if err := json.Unmarshal(text, &earlier); err != nil {
		return fmt.Errorf("%s: %w", folder, err)
	}
	r.Earlier = map[string]string{}
	for _, section := range sectionNames() {
		if measured(section) || !slices.ContainsFunc(earlier.Targets, func(t target) bool { return t.Section == section }) &&
			!slices.Contains(earlier.sections(), section) {
			continue
		}
		r.Earlier[section] = earlier.Earlier[section]
		if r.Earlier[section] == "" {
			r.Earlier[section] = fmt.Sprintf("server %s, %s", earlier.Machine.Server, earlier.Machine.Date.Format(time.DateOnly))
		}
	}
	r.Figures = slices.Concat(r.Figures, others(earlier.Figures, func(f figure) string { return f.Section }, measured))
	r.Facts = slices.Concat(r.Facts, others(earlier.Facts, func(f fact) string { return f.Section }, measured))
	r.Targets = slices.Concat(r.Targets, others(earlier.Targets, func(t target) string { return t.Section }, measured))
	slices.SortStableFunc(r.Targets, func(a, b target) int {
		return slices.Index(sectionNames(), a.Section) - slices.Index(sectionNames(), b.Section)
	})
	return nil
}

// others are those of a list whose section was not measured.
func others[T any](list []T, section func(T) string, measured func(string) bool) []T {
	return slices.DeleteFunc(slices.Clone(list), func(one T) bool { return measured(section(one)) })
}
