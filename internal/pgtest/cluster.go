package pgtest

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
	"syscall"
)

// script makes a cluster in the folder $1 with the binaries in $2, says "ready",
// waits for its input to end and removes everything.
const script = `
trap '"$2/pg_ctl" -D "$1/data" -m immediate stop >>"$1/log" 2>&1; rm -rf "$1"' EXIT
"$2/initdb" -D "$1/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >>"$1/log" 2>&1 &&
"$2/pg_ctl" -D "$1/data" -w -l "$1/log" start -o "-k '$1' -c listen_addresses= -c max_connections=400" >>"$1/log" 2>&1 ||
{ cat "$1/log" >&2; exit 1; }
echo ready
cat >/dev/null
`

// cluster is a running Postgres.
type cluster struct {
	url       string
	directory string
	binaries  string
	runAs     *syscall.SysProcAttr
	lifeline  io.Closer // the cluster ends when this is closed, or collected as garbage
}

// startCluster starts a cluster that lives as long as this process refers to it.
func startCluster() (cluster, error) {
	binaries, err := findBinaries()
	if err != nil {
		return cluster{}, err
	}
	directory, err := os.MkdirTemp("", "pgtest")
	if err != nil {
		return cluster{}, err
	}
	command := exec.Command("sh", "-c", script, "sh", directory, binaries)
	command.Dir = directory
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt of the tests ends it through the pipe
	if os.Getuid() == 0 {
		credential, err := unprivileged()
		if err != nil {
			return cluster{}, err
		}
		if err := os.Chown(directory, int(credential.Uid), int(credential.Gid)); err != nil {
			return cluster{}, err
		}
		command.SysProcAttr.Credential = credential
	}
	lifeline, err := command.StdinPipe()
	if err != nil {
		return cluster{}, err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return cluster{}, err
	}
	complaints, err := os.CreateTemp("", "pgtest-errors")
	if err != nil {
		return cluster{}, err
	}
	defer os.Remove(complaints.Name()) //nolint:errcheck // a file in the temporary folder
	command.Stderr = complaints
	if err := command.Start(); err != nil {
		return cluster{}, fmt.Errorf("start Postgres: %w", err)
	}
	if line, err := bufio.NewReader(output).ReadString('\n'); line != "ready\n" {
		text, _ := os.ReadFile(complaints.Name())
		return cluster{}, fmt.Errorf("start Postgres from %s: %w\n%s", binaries, err, text)
	}
	return cluster{socketURL(directory), directory, binaries, command.SysProcAttr, lifeline}, nil
}

// restart kills the cluster and starts it again.
func (c cluster) restart() error {
	command := exec.Command(filepath.Join(c.binaries, "pg_ctl"), "-D", filepath.Join(c.directory, "data"),
		"-l", filepath.Join(c.directory, "log"), "-m", "immediate", "-w", "restart")
	command.Dir, command.SysProcAttr = c.directory, c.runAs
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("restart Postgres: %w\n%s", err, output)
	}
	return nil
}

// unprivileged is who runs Postgres when root runs the tests.
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
		places = append(places, filepath.Dir(path))
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
