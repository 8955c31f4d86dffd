package dbtest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// poolerScript runs PgBouncer in the folder $1, prints "ready" when it accepts connections, and stops it
// when standard input ends. Standard output ends when that is done.
const poolerScript = `
cd "$1"
trap 'kill $!; wait $!' EXIT
bin/pgbouncer pgbouncer.ini >>log 2>&1 &
until [ -S .s.PGSQL.6432 ]; do
	kill -0 $! || { cat log; exit 1; }
	sleep 0.05
done
echo ready
cat >/dev/null
`

// NewPooler starts PgBouncer in front of a cluster for one test, in transaction mode, with settings such
// as "default_pool_size = 5". It copies the program pgbouncer from a folder, since the user that runs
// Postgres may not have access to it. It returns the URL of the database "postgres".
func NewPooler(t testing.TB, of *Cluster, folder string, settings ...string) (url string) {
	t.Helper()
	directory := filepath.Join(of.Directory, "pooler-"+strings.ReplaceAll(t.Name(), "/", "-"))
	fatal := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatalf("start PgBouncer: %v", err)
		}
	}
	fatal(os.Mkdir(directory, 0o755))
	fatal(os.CopyFS(filepath.Join(directory, "bin"), os.DirFS(folder)))
	configuration := fmt.Sprintf("[databases]\n* = host=%s\n\n[pgbouncer]\npool_mode = transaction\nlisten_port = 6432\n"+
		"unix_socket_dir = %s\nauth_type = trust\nauth_file = %[2]s/users\n%s\n", of.Directory, directory, strings.Join(settings, "\n"))
	fatal(os.WriteFile(filepath.Join(directory, "pgbouncer.ini"), []byte(configuration), 0o644))
	fatal(os.WriteFile(filepath.Join(directory, "users"), []byte(`"postgres" ""`), 0o644))
	if credential := of.shell.SysProcAttr.Credential; credential != nil {
		fatal(os.Chown(directory, int(credential.Uid), int(credential.Gid)))
	}
	shell := exec.Command("sh", "-c", poolerScript, "sh", directory)
	shell.SysProcAttr = of.shell.SysProcAttr
	lifeline, err := shell.StdinPipe()
	fatal(err)
	output, err := shell.StdoutPipe()
	fatal(err)
	fatal(shell.Start())
	t.Cleanup(func() {
		_ = lifeline.Close() // as would the end of this process
		_, _ = io.Copy(io.Discard, output)
		_ = shell.Wait() // it was killed
	})
	lines := bufio.NewReader(output)
	if line, _ := lines.ReadString('\n'); line != "ready\n" {
		rest, _ := io.ReadAll(lines)
		t.Fatalf("start PgBouncer: %s%s", line, rest)
	}
	return strings.Replace(socketURL(directory), "?", "?port=6432&", 1)
}
