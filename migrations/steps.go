package migrations

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Step describes a migration, by its name and the lines at its top.
type Step struct {
	Version  int64  // its number
	Oldest   int64  // the oldest binary that works with it, given as the newest step which that one knows
	Optional string // the feature it is for, if a database need not have it; else empty
}

var (
	oldestLine   = regexp.MustCompile(`(?m)^-- oldest binary: (\d+)$`)
	optionalLine = regexp.MustCompile(`(?m)^-- optional: (\w+)$`)
	createTable  = regexp.MustCompile(`(?m)^CREATE TABLE IF NOT EXISTS (\w+)`)
)

// Steps lists the migrations of an engine, oldest first. Each must name the oldest binary.
func Steps(engine string) ([]Step, error) {
	var steps []Step
	err := each(engine, func(name, text string) error {
		number, _, _ := strings.Cut(path.Base(name), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		line := oldestLine.FindStringSubmatch(text)
		if err != nil || line == nil {
			return fmt.Errorf(`migration %s has no number, or no line "-- oldest binary: 5"`, name)
		}
		oldest, err := strconv.ParseInt(line[1], 10, 64)
		if err != nil || oldest > version {
			return fmt.Errorf("migration %s: the oldest binary cannot be newer than the migration: %s", name, line[0])
		}
		step := Step{Version: version, Oldest: oldest}
		if line := optionalLine.FindStringSubmatch(text); line != nil {
			step.Optional = line[1]
		}
		steps = append(steps, step)
		return nil
	})
	slices.SortFunc(steps, func(a, b Step) int { return int(a.Version - b.Version) })
	return steps, err
}

// Tables lists the tables of an engine.
func Tables(engine string) (tables []string, err error) {
	err = each(engine, func(_, text string) error {
		for _, found := range createTable.FindAllStringSubmatch(text, -1) {
			tables = append(tables, found[1])
		}
		return nil
	})
	return tables, err
}

func each(engine string, fn func(name, text string) error) error {
	names, err := fs.Glob(FS, engine+"/*.sql")
	for _, name := range names {
		var text []byte
		if text, err = fs.ReadFile(FS, name); err == nil {
			err = fn(name, string(text))
		}
		if err != nil {
			return err
		}
	}
	return err
}
