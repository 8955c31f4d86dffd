package dbtest

import (
	"os"
	"testing"
)

// TestClusterOfNobody starts a cluster for a test process that has ended before it is ready: it is stopped and deleted.
func TestClusterOfNobody(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs Postgres, and -short asks for tests that need nothing but Go")
	}
	c, err := newCluster(nil)
	if err != nil {
		t.Fatal(err)
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.shell.Stdout = writer
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	err = c.shell.Run() // without standard input, as if it had ended
	if _, left := os.Stat(c.Directory); !os.IsNotExist(left) {
		t.Errorf("%s is still there: %v", c.Directory, err)
	}
	if err := writer.Close(); err != nil {
		t.Error(err)
	}
}
