package dbtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// script creates a cluster in the folder $1, unless it has one, starts it with the binaries in $2 and the
// options in $3, prints "ready", and when standard input ends stops and deletes it. Standard output ends
// when that is done. If the test process has ended before it can be told that Postgres is ready, that ends the
// same way.
const script = `
trap '"$2/pg_ctl" -D "$1/data" -m immediate stop >>"$1/log" 2>&1; rm -rf "$1"' EXIT
trap : PIPE
{ [ -d "$1/data" ] || "$2/initdb" -D "$1/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >>"$1/log" 2>&1; } &&
"$2/pg_ctl" -D "$1/data" -w -l "$1/log" start -o "$3" >>"$1/log" 2>&1 ||
{ cat "$1/log" >&2; exit 1; }
echo ready
cat >/dev/null
`

// Cluster is a running Postgres. It is stopped and deleted by Stop, when it is garbage collected, or when
// this process ends.
type Cluster struct {
	URL      string // of the database "postgres", over a socket in Directory, as a superuser
	Binaries string // the folder of initdb, pg_ctl, postgres and, where they are installed, pgbench and psql

	// Directory holds the socket, the log and, in the folder data, the cluster. Only the user that runs
	// Postgres, and root, can read it.
	Directory string

	options  string    // of postgres
	shell    *exec.Cmd // which runs the script
	lifeline io.Closer // Postgres stops when this is closed, or collected as garbage
	output   io.Reader // ends when everything is removed
}

// Start starts a temporary cluster with the default settings of Postgres, except for max_connections and
// the given ones, such as "shared_buffers=1GB".
func Start(settings ...string) (*Cluster, error) {
	c, err := newCluster(settings)
	if err != nil {
		return nil, err
	}
	if err := c.run(); err != nil {
		return nil, err
	}
	return c, nil
}

// newCluster creates the folder of a cluster.
func newCluster(settings []string) (*Cluster, error) {
	binaries, err := findBinaries()
	if err != nil {
		return nil, err
	}
	directory, err := os.MkdirTemp("", "dbtest")
	if err != nil {
		return nil, err
	}
	options := strings.Join(append([]string{"-k '" + directory + "'", "listen_addresses=", "max_connections=400"}, settings...), " -c ")
	command := exec.Command("sh", "-c", script, "sh", directory, binaries, options)
	command.Dir = directory
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that Ctrl-C does not reach it; it ends when the pipe does
	if os.Getuid() == 0 {
		credential, err := unprivileged()
		if err != nil {
			return nil, err
		}
		if err := os.Chown(directory, int(credential.Uid), int(credential.Gid)); err != nil {
			return nil, err
		}
		command.SysProcAttr.Credential = credential
	}
	return &Cluster{URL: socketURL(directory), Binaries: binaries, Directory: directory, options: options, shell: command}, nil
}

// run starts the script and waits until Postgres is ready.
func (c *Cluster) run() (err error) {
	if c.lifeline, err = c.shell.StdinPipe(); err != nil {
		return err
	}
	if c.output, err = c.shell.StdoutPipe(); err != nil {
		return err
	}
	complaints, err := os.CreateTemp("", "dbtest-errors")
	if err != nil {
		return err
	}
	defer os.Remove(complaints.Name()) //nolint:errcheck // a file in the temporary folder
	c.shell.Stderr = complaints
	if err := c.shell.Start(); err != nil {
		return fmt.Errorf("start Postgres: %w", err)
	}
	if line, err := bufio.NewReader(c.output).ReadString('\n'); line != "ready\n" {
		text, _ := os.ReadFile(complaints.Name())
		return fmt.Errorf("start Postgres from %s: %w\n%s", c.Binaries, err, text)
	}
	return nil
}

// Stop kills the cluster, and returns when its files are gone.
func (c *Cluster) Stop() error {
	if err := c.lifeline.Close(); err != nil {
		return fmt.Errorf("stop Postgres: %w", err)
	}
	if _, err := io.Copy(io.Discard, c.output); err != nil {
		return fmt.Errorf("stop Postgres: %w", err)
	}
	_ = c.shell.Wait() // the exit code is not Postgres's
	return nil
}

// Restart kills the cluster and starts it again.
func (c *Cluster) Restart() error { return c.control("-m", "immediate", "-w", "restart") }

// Standby stops the cluster briefly, copies it, and starts the copy as a standby, which does not replicate
// but can be read and promoted.
func (c *Cluster) Standby() (*Cluster, error) {
	copied, err := newCluster(nil)
	if err != nil {
		return nil, err
	}
	err = c.control("-m", "fast", "-w", "stop")
	if err == nil {
		err = c.execute("cp", "-a", filepath.Join(c.Directory, "data"), copied.Directory)
	}
	if err == nil {
		err = c.control("-w", "start")
	}
	if err == nil {
		err = copied.execute("touch", copied.standbySignal())
	}
	if err == nil {
		err = copied.run()
	}
	return copied, err
}

// Demote stops the cluster and starts it again as a standby.
func (c *Cluster) Demote() error {
	if err := c.execute("touch", c.standbySignal()); err != nil {
		return err
	}
	return c.control("-m", "fast", "-w", "restart")
}

// Promote promotes a standby to primary.
func (c *Cluster) Promote() error { return c.control("-w", "promote") }

func (c *Cluster) standbySignal() string { return filepath.Join(c.Directory, "data", "standby.signal") }

// control runs pg_ctl. A start gets the options of the cluster; a restart keeps them.
func (c *Cluster) control(args ...string) error {
	fixed := []string{"-D", filepath.Join(c.Directory, "data"), "-l", filepath.Join(c.Directory, "log")}
	if args[len(args)-1] == "start" {
		fixed = append(fixed, "-o", c.options)
	}
	return c.execute(filepath.Join(c.Binaries, "pg_ctl"), append(fixed, args...)...)
}

// execute runs a program as the user that runs Postgres.
func (c *Cluster) execute(program string, args ...string) error {
	command := exec.Command(program, args...)
	command.Dir, command.SysProcAttr = c.Directory, c.shell.SysProcAttr
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", command, err, output)
	}
	return nil
}

// unprivileged returns the user that runs Postgres when root runs the tests.
func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(account.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(account.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("postgres does not run as root, and there is no user postgres or nobody")
}

// findBinaries returns the folder of initdb, pg_ctl and postgres.
func findBinaries() (string, error) {
	places := []string{}
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil { // the other programs are where it is
			places = append(places, filepath.Dir(path))
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",               // Debian
		"/usr/pgsql-*/bin",                        // Red Hat
		"/opt/homebrew/opt/postgresql*/bin",       // Homebrew
		"/usr/local/opt/postgresql*/bin",          // Homebrew on Intel
		"/Applications/Postgres.app/*/latest/bin", // Postgres.app
	} {
		found, _ := filepath.Glob(pattern) // fails only on a malformed pattern
		places = append(places, found...)
	}
	for _, place := range places {
		if hasBinaries(place) {
			return place, nil
		}
	}
	return fetchBinaries()
}

func hasBinaries(directory string) bool {
	for _, name := range []string{"initdb", "pg_ctl", "postgres"} {
		if _, err := os.Stat(filepath.Join(directory, name)); err != nil {
			return false
		}
	}
	return true
}
