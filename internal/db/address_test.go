package db

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"
)

// hosts are the hosts of an address, each with its port.
func (a address) hosts() string {
	hosts := []string{fmt.Sprint(a.config.Host, " ", a.config.Port)}
	for _, other := range a.config.Multi {
		hosts = append(hosts, fmt.Sprint(other.Host, " ", other.Port))
	}
	return strings.Join(hosts, ", ")
}

// TestAddress parses URLs that providers give and psql accepts.
func TestAddress(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]struct{ hosts, user, password, name, mode, runtime string }{
		"postgres://u:p@h/x":                                         {"h 5432", "u", "p", "x", "prefer", ""},
		"postgresql://u:p@h:6432/x?sslmode=verify-full":              {"h 6432", "u", "p", "x", "verify-full", ""},
		"postgres://u:p@h1:5432,h2:5433/x":                           {"h1 5432, h2 5433", "u", "p", "x", "prefer", ""},
		"postgres://u:p@h1,h2:5433,h3/x?sslmode=require":             {"h1 5432, h2 5433, h3 5432", "u", "p", "x", "require", ""},
		"postgres://u:p@[::1]:5433,[fe80::1%25eth0]/x":               {"::1 5433, fe80::1%eth0 5432", "u", "p", "x", "prefer", ""},
		"postgres://u:p@/x?host=/var/run/postgresql":                 {"/var/run/postgresql 5432", "u", "p", "x", "disable", ""},
		"postgres://u:p@%2Fvar%2Frun%2Fpostgresql/x":                 {"/var/run/postgresql 5432", "u", "p", "x", "disable", ""},
		"postgres://u:p@/x?host=h1,h2&port=5433":                     {"h1 5433, h2 5433", "u", "p", "x", "prefer", ""},
		"postgres://u:p@h1,h2/x?port=5433,5434":                      {"h1 5433, h2 5434", "u", "p", "x", "prefer", ""},
		"postgres://u%40s.example:p%40%2F%3A%25%27%5C+%20@h":         {"h 5432", "u@s.example", `p@/:%'\+ `, "", "prefer", ""},
		"postgres://u:p@ss#w;o$r!d&=@h/x":                            {"h 5432", "u", "p@ss#w;o$r!d&=", "x", "prefer", ""},
		"postgres://h/x?user=u&password=p":                           {"h 5432", "u", "p", "x", "prefer", ""},
		"postgres://u:p@h/x?ssl=true":                                {"h 5432", "u", "p", "x", "require", ""},
		"postgres://u:p@h/x?sslmode=require&channel_binding=require": {"h 5432", "u", "p", "x", "require", ""},
		"postgres://u:p@h/x?channel_binding=require":                 {"h 5432", "u", "p", "x", "require", ""},
		"postgres://u:p@h/x?keepalives=1&keepalives_idle=30&gssencmode=disable&tcp_user_timeout=9&sslcompression=0&pgbouncer=true": {"h 5432", "u", "p", "x", "prefer", ""},
		"postgres://u:p@h/x?search_path=a,b&options=-c%20jit%3Don&application_name=y":                                              {"h 5432", "u", "p", "x", "prefer", "search_path=a,b"},
	} {
		a, err := parseAddress(url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		var runtime []string
		for _, name := range slices.Sorted(maps.Keys(a.config.Runtime)) {
			runtime = append(runtime, name+"="+a.config.Runtime[name])
		}
		c := a.config
		got := want
		got.hosts, got.user, got.password, got.name, got.mode, got.runtime =
			a.hosts(), c.User, c.Password, c.Database, string(c.SSLMode), strings.Join(runtime, " ")
		if got != want || !a.fallback || c.TargetSessionAttrs != pq.TargetSessionAttrsReadWrite || !c.BinaryParameters || c.ConnectTimeout == 0 {
			t.Errorf("%s is %+v, want %+v; target_session_attrs=%s", url, got, want, c.TargetSessionAttrs)
		}
		if strings.Contains(url, "channel_binding") != (len(a.warnings) == 1) {
			t.Errorf("%s warns of %q", url, a.warnings)
		}
		listening, err := pq.NewConfig(a.dsn)
		if err != nil || listening.Password != c.Password || listening.TargetSessionAttrs != pq.TargetSessionAttrsPrimary {
			t.Errorf("%s cannot be listened to: %v", url, err)
		}
	}
}

// TestAddressRefused checks that errors name the option at fault, and never its value.
func TestAddressRefused(t *testing.T) {
	t.Parallel()
	for url, says := range map[string]string{
		"postgres://u:p@h/x?sslmode=SECRET":                          `sslmode cannot be used; supported values are`,
		"postgres://u:p@h/x?connect_timeout=SECRET":                  "connect_timeout",
		"postgres://u:p@h/x?target_session_attrs=standby":            "target_session_attrs must be",
		"postgres://u:p@h/x?requirepeer=SECRET":                      "the option requirepeer is not supported",
		"postgres://u:p@h/x?gssencmode=require":                      "the option gssencmode is not supported",
		"postgres://u:p@h/x?channel_binding=SECRET":                  "the option channel_binding is not supported",
		"postgres://u:p@h/x?channel_binding=require&sslmode=disable": "channel_binding=require needs TLS",
		"postgres://u:p@/x?channel_binding=require&host=/run":        "channel_binding=require needs TLS",
		"postgres://u:p@h1,h2,h3/x?port=5433,5434":                   "could not match 2 port numbers to 3 hosts",
		"postgres://u:p@h/x?client_encoding=SECRET":                  "client_encoding",
		"postgres://u:p@h:SECRET/x":                                  "percent-encoded",
		"postgres://u:p%00@h/x":                                      "percent-encoded",
		"postgres://u:p@h/x?SECRET":                                  "percent-encoded",
		"postgres://u:p@h/x?sslmode=require&sslrootcert=system":      "weak sslmode",
	} {
		_, err := parseAddress(url)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", url, err, says)
		}
	}
}

// secretURLs are URLs with a password in them, most of them malformed.
func secretURLs() (urls []string) {
	for _, password := range []string{"SECRET", "SECRET/1", "1/SECRET", "SECRET#", "12?SECRET", "12?SECRET=", "SECRET@", "@SECRET", "SECRET%", "%zzSECRET", "SECRET:1",
		":SECRET", "[SECRET", "SECRET]", "SECRET ", "SECRET\n", "'SECRET'", `\SECRET`, "SECRET&x=1", "1,SECRET", "SECRET\x00", "é SECRET", "a=SECRET"} {
		for _, form := range []string{"postgres://u:%s@127.0.0.1:1/x", "postgres://u:%s@127.0.0.1:1,127.0.0.1:1/x?sslmode=disable", "postgresql://u:%s@127.0.0.1:1",
			"postgres://u:%s@[::1]:1/x", "postgres://u:%s@[::1:1/x", "postgres:u:%s@127.0.0.1", "postgres:/u:%s@127.0.0.1/x", "postgres//u:%s@127.0.0.1/x", "POSTGRES://u:%s@h/x", "u:%s@127.0.0.1:1/x",
			"postgres://u:%s@127.0.0.1:99999/x", "postgres://u:%s@127.0.0.1:1/x?sslmode=maybe", "postgres://u:%s@127.0.0.1:1/x?sslcrl=x",
			"postgres://127.0.0.1:1/x?password=%s", "postgres://u@127.0.0.1:1/x?password=%s&hostaddr=x", "postgres://u@127.0.0.1:1/x?sslpassword=%s", "postgres://u@127.0.0.1:1/x?passwd=%s",
			"host=127.0.0.1 user=u password=%s", "host=127.0.0.1 password='%s", "psql 'postgres://u:%s@127.0.0.1/x'", "jdbc:postgresql://127.0.0.1/x?password=%s", "mysql://u:%s@h/x"} {
			urls = append(urls, fmt.Sprintf(form, password))
		}
	}
	return urls
}

// TestNoSecretInErrors opens URLs of which most are malformed, and tries to connect.
func TestNoSecretInErrors(t *testing.T) {
	t.Parallel()
	for _, url := range secretURLs() {
		checkNoSecret(t, url)
	}
}

func checkNoSecret(t *testing.T, url string) {
	t.Helper()
	database, err := Open(url, Options{MaxConnections: 2})
	if err == nil {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		err = errors.Join(database.Check(ctx), database.Close())
		if _, migrateErr := database.Migrate(ctx); migrateErr != nil {
			err = errors.Join(err, migrateErr)
		}
	}
	if err == nil || strings.Contains(err.Error(), "SECRET") {
		t.Errorf("%q: %v", url, err)
	}
}

// FuzzNoSecretInErrors does the same with random URLs.
func FuzzNoSecretInErrors(f *testing.F) {
	for _, url := range secretURLs() {
		f.Add(url)
	}
	f.Fuzz(func(t *testing.T, url string) {
		_, err := parseAddress(url)
		if err != nil && strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%q: %v", url, err)
		}
	})
}

// fakeServer answers each connection with a Postgres error.
func fakeServer(t *testing.T, code, message string) (host string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			fields := "SFATAL\x00VFATAL\x00C" + code + "\x00M" + message + "\x00\x00"
			_, _ = conn.Read(make([]byte, 4096)) // the startup message
			_, _ = fmt.Fprintf(conn, "E\x00\x00%c%c%s", (len(fields)+4)>>8, (len(fields)+4)&0xff, fields)
			_ = conn.Close()
		}
	}()
	return listener.Addr().String()
}

// TestConnectWithoutTLS asks a server without TLS for it, or names a missing root certificate.
func TestConnectWithoutTLS(t *testing.T) {
	t.Parallel()
	for _, options := range []string{"sslmode=require", "channel_binding=require", "sslmode=verify-full&sslrootcert=/nowhere"} {
		// Any first byte other than S means that the server has no TLS.
		database, err := Open("postgres://u:SECRET@"+fakeServer(t, "28000", "no")+"/x?"+options, Options{MaxConnections: 2})
		if err != nil {
			t.Fatal(err)
		}
		err = errors.Join(database.Check(t.Context()), database.Close())
		if !errors.Is(err, ErrUnavailable) || !errors.Is(err, ErrRefused) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", options, err)
		}
	}
}

// TestConnectRefused checks that every refusal to connect is ErrUnavailable, and which ones are
// ErrRefused too.
func TestConnectRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		code, message, says string
		lasts               bool
	}{
		{"28000", `role "u" is not permitted to log in`, "not permitted", true},
		{"28P01", `password authentication failed for user "u"`, "password", true},
		{"3D000", `database "x" does not exist`, "does not exist", true},
		{"42501", `permission denied for database "x"`, "permission denied", true},
		{"42704", `unrecognized configuration parameter "colour"`, "does not take the option colour of", true},
		{"08P01", "unsupported startup parameter: colour", "does not take the option colour of", true},
		{"22023", `invalid value for parameter "colour": "SECRET"`, "does not take the option colour of", true},
		{"55P02", `parameter "colour" cannot be changed now`, "does not take the option colour of", true},
		{"25001", "SET TRANSACTION ISOLATION LEVEL must be called before any query", "must be called", true},
		{"08P01", "pgbouncer cannot connect to server", "pgbouncer", false},
		{"53300", "sorry, too many clients already", "too many", false},
		{"55000", `database "x" is not currently accepting connections`, "accepting", false},
		{"57P03", "the database system is starting up", "starting up", false},
		{"XX000", "something else", "something else", false},
	} {
		host := fakeServer(t, test.code, test.message)
		database, err := Open("postgres://u:SECRET@"+host+"/x?sslmode=disable&colour=SECRET", Options{MaxConnections: 2})
		if err != nil {
			t.Fatal(err)
		}
		err = errors.Join(database.Check(t.Context()), database.Close())
		if !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrRefused) != test.lasts || !strings.Contains(err.Error(), test.says) ||
			strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s is %v, want %q (for good: %t)", test.code, err, test.says, test.lasts)
		}
	}
}
