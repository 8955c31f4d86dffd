package apitest_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/contract"
)

// TestAccessDocument checks that the table of docs/security.md says what x-access of each operation says.
func TestAccessDocument(t *testing.T) {
	t.Parallel()
	rows := map[string][]string{} // operations by the rest of their row
	for _, item := range contract.Document().Paths.Map() {
		for _, operation := range item.Operations() {
			row := accessRow(t, operation.Extensions["x-access"])
			rows[row] = append(rows[row], "`"+operation.OperationID+"`")
		}
	}
	table := "| operations | service key | user token |\n|---|---|---|\n"
	for _, row := range slices.Sorted(maps.Keys(rows)) {
		slices.Sort(rows[row])
		table += "| " + strings.Join(rows[row], ", ") + row
	}
	document, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(document), "\n\n"+table+"\n") {
		t.Errorf("docs/security.md lacks this table:\n\n%s", table)
	}
}

// accessRow returns the cells of a row that say who may call an operation.
func accessRow(t *testing.T, access any) string {
	t.Helper()
	rule, ok := access.(map[string]any)
	if !ok {
		return " | anyone, without a credential | |\n"
	}
	users := map[string]string{"none": "no", "own": "own messages"}
	user, ok := users[fmt.Sprint(rule["user"])]
	if actors, isList := rule["user"].([]any); isList {
		names := make([]string, len(actors))
		for i, actor := range actors {
			names[i] = fmt.Sprintf("`%v`", actor)
		}
		user, ok = "as "+strings.Join(names, " or "), true
	}
	if !ok {
		t.Fatalf("x-access is %v", access)
	}
	switch role := rule["group"]; {
	case role == nil:
	case rule["user"] != "own":
		user += fmt.Sprintf(", in groups as %v", role)
	case role == "create":
		user = "as owner, with `GROUP_CREATE=users`"
	case role == "admin-or-self":
		user = "as admin of the group, or for themselves"
	default:
		user = fmt.Sprintf("as %v of the group", role)
	}
	return fmt.Sprintf(" | `%v` | %s |\n", rule["scope"], user)
}
