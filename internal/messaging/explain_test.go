package messaging

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// explainer checks the plan of each query before it runs it.
type explainer struct {
	sqlx.QueryerContext

	t        *testing.T
	database *db.DB
	rows     float64 // the most a node may return: a page for each range that is merged
	once     float64 // the most rows a node may sort, or read and discard
	sorts    bool    // the statement may sort what it merges
	indexes  []string
}

// QueryxContext explains the query and then runs it.
func (e *explainer) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	if err := e.check(ctx, query, args); err != nil {
		return nil, err
	}
	return e.QueryerContext.QueryxContext(ctx, query, args...)
}

// check checks the plan of a statement. Postgres runs it for that.
func (e *explainer) check(ctx context.Context, query string, args []any) error {
	check := map[db.Engine]func(*explainer, context.Context, string, []any) error{
		db.Postgres: (*explainer).checkPostgres, db.SQLite: (*explainer).checkSQLite,
	}[e.database.Engine]
	return check(e, ctx, query, args)
}

// checkPostgres checks the custom plan for these parameters, and the generic plan.
func (e *explainer) checkPostgres(ctx context.Context, query string, args []any) error {
	var plan string
	if err := sqlx.GetContext(ctx, e.QueryerContext, &plan, "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) "+query, args...); err != nil {
		return err
	}
	plans := map[string]string{"the custom plan": plan}
	if len(args) <= db.MaxPreparedParameters && !db.HasCustomPlan(ctx) {
		generic, err := explainGeneric(ctx, e.database, query, args)
		if err != nil {
			return err
		}
		plans["the generic plan"] = generic
	}
	for name, plan := range plans {
		var nodes []struct{ Plan planNode }
		if err := json.Unmarshal([]byte(plan), &nodes); err != nil {
			return err
		}
		e.report(nodes[0].Plan.problems(e.rows, e.once), name+" of "+query, plan)
	}
	return nil
}

func (e *explainer) checkSQLite(ctx context.Context, query string, args []any) error {
	var plan string
	var steps []struct {
		ID, Parent, Notused int
		Detail              string
	}
	if err := sqlx.SelectContext(ctx, e.QueryerContext, &steps, "EXPLAIN QUERY PLAN "+query, args...); err != nil {
		return err
	}
	for _, step := range steps {
		plan += step.Detail + "\n"
	}
	for range emptySelects.FindAllString(query, -1) {
		plan = strings.Replace(plan, emptySelectStep.FindString(plan), "", 1)
	}
	problems := scanned(plan)
	if e.sorts {
		problems = slices.DeleteFunc(problems, func(problem string) bool { return problem == "USE TEMP B-TREE FOR ORDER BY" })
	}
	plan = primaryKeys.ReplaceAllStringFunc(plan, func(step string) string {
		table := primaryKeys.FindStringSubmatch(step)[1]
		return cmp.Or(aliases[table], table) + "_pkey"
	})
	e.report(problems, query, plan)
	return nil
}

func (e *explainer) report(problems []string, query, plan string) {
	for _, index := range e.indexes {
		if !strings.Contains(plan, index) {
			problems = append(problems, "does not use "+index)
		}
	}
	if len(problems) > 0 {
		e.t.Errorf("%s\n%s\n%s", strings.Join(problems, "\n"), query, plan)
	}
}

// QueryRowxContext does the same for a query of one row.
func (e *explainer) QueryRowxContext(ctx context.Context, query string, args ...any) *sqlx.Row {
	rows, err := e.QueryxContext(ctx, query, args...)
	if err != nil {
		e.t.Error(err)
	} else if err := rows.Close(); err != nil { //nolint:sqlclosecheck // not later: the next query is on the same connection
		e.t.Error(err)
	}
	return e.QueryerContext.QueryRowxContext(ctx, query, args...)
}

// The steps of SQLite that may read more than they return, and those that make a part of the
// statement, by its name.
var (
	scans = regexp.MustCompile(`SCAN (?:\d+ )?(\S+).*|USE TEMP B-TREE.*|SEARCH .* \(deleted=\?\)`)
	parts = regexp.MustCompile(`(?:CO-ROUTINE|MATERIALIZE) (\S+)`)
)

// emptySelects give a column its type, on Postgres, and read nothing. SQLite has a scan for each. Without them, it would have
// another plan for the rest, too.
var (
	emptySelects    = regexp.MustCompile(`\(SELECT \w+ FROM \w+ LIMIT 0\)`)
	emptySelectStep = regexp.MustCompile(`(?m)^SCALAR SUBQUERY \d+\nSCAN .*\n`)
)

// scanned returns the steps that sort, or scan a table and not a part of the statement.
func scanned(plan string) (problems []string) {
	made := map[string]bool{}
	for _, part := range parts.FindAllStringSubmatch(plan, -1) {
		made[part[1]] = true
	}
	for _, scan := range scans.FindAllStringSubmatch(plan, -1) {
		if values := scan[1] == "CONSTANT" || strings.HasSuffix(scan[1], "-ROW"); !made[scan[1]] && !values {
			problems = append(problems, scan[0])
		}
	}
	return problems
}

// primaryKeys are the steps of SQLite that use the index Postgres calls after the table.
var primaryKeys = regexp.MustCompile(`SEARCH (\w+) USING PRIMARY KEY`)

// aliases are what the statements call tables.
var aliases = map[string]string{"m": "messages", "c": "conversations", "mine": "read_markers", "theirs": "read_markers", "own": "memberships", "g": "groups", "newest": "messages"}

// planNode is a node of Postgres' EXPLAIN ANALYZE.
type planNode struct {
	NodeType string     `json:"Node Type"`
	Loops    float64    `json:"Actual Loops"` // 0 if it never ran
	Rows     float64    `json:"Actual Rows"`
	Removed  float64    `json:"Rows Removed by Filter"`
	Plans    []planNode `json:"Plans"`
}

// page is the rows that a statement reads for a page of 100: one more.
const page = 101

func (n planNode) problems(rows, once float64) (problems []string) {
	if n.NodeType == "Seq Scan" && n.Loops > 0 || n.NodeType == "Sort" && n.Rows > once || n.Removed > once || n.Rows > rows {
		problems = append(problems, fmt.Sprintf("%s of %.0f rows, and %.0f discarded", n.NodeType, n.Rows, n.Removed))
	}
	for _, child := range n.Plans {
		problems = append(problems, child.problems(rows, once)...)
	}
	return problems
}

// explainGeneric runs a query with its generic plan, which Postgres may choose for a prepared
// statement from its sixth run on.
func explainGeneric(ctx context.Context, database *db.DB, query string, args []any) (plan string, err error) {
	literals := make([]string, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case int, int64:
			literals[i] = fmt.Sprint(arg)
		case string:
			literals[i] = "'" + strings.ReplaceAll(arg, "'", "''") + "'"
		case ID:
			literals[i] = "'" + arg.String() + "'"
		case driver.Valuer:
			value, err := arg.Value()
			if err != nil {
				return "", err
			}
			literals[i] = fmt.Sprintf("'%s'", value)
		default:
			return "", fmt.Errorf("a parameter is of type %T", arg)
		}
	}
	err = database.Tx(ctx, time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		name := "generic_" + rand.Text() // after an error it stays on its connection, which others use
		for _, statement := range []string{"SET LOCAL plan_cache_mode = force_generic_plan", "PREPARE " + name + " AS " + query} {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		err := tx.GetContext(ctx, &plan, "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE "+name+" ("+strings.Join(literals, ", ")+")")
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DEALLOCATE "+name)
		return err
	})
	return plan, err
}
