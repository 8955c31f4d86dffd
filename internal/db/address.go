package db

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/lib/pq"
)

// address is a parsed database URL of Postgres.
type address struct {
	dsn      string // keywords and values for [DB.Listen], which needs any primary, writable or not
	config   pq.Config
	fallback bool     // fall back to a primary whose transactions are read-only
	warnings []string // about options that have no effect
}

const unbound = "channel_binding=require of the database URL is not enforced: connections are made over TLS only, " +
	"but not bound to it; sslmode=verify-full is what rules out a server in between"

// errURL does not quote the URL: the part that cannot be parsed may be of the password.
// Nor has its example user and password, since those of any URL are cut out of what a command prints.
var errURL = errors.New("the database URL cannot be parsed: it is like postgres://host:5432/name?option=value, " +
	"with user and password before the host, in which special characters must be percent-encoded")

// parseAddress parses a URL as psql does. Its query has options of libpq and settings for the
// server.
func parseAddress(text string) (address, error) {
	options, err := splitURL(text)
	if err != nil {
		return address{}, err
	}
	var a address
	bound := options["channel_binding"] == "require"
	if err := settleOptions(options); err != nil {
		return address{}, err
	}
	if a.config, err = newConfig(options); err != nil { // adds the environment and a service file
		return address{}, err
	}
	if bound {
		if a.config.SSLMode == pq.SSLModeDisable {
			return address{}, errors.New("database URL: channel_binding=require needs TLS, so neither a socket nor sslmode=disable")
		}
		if slices.Contains([]pq.SSLMode{"", pq.SSLModeAllow, pq.SSLModePrefer}, a.config.SSLMode) {
			options["sslmode"] = string(pq.SSLModeRequire)
		}
		a.warnings = append(a.warnings, unbound)
	}
	a.fallback = setDefaults(options, &a.config)
	if a.config, err = newConfig(options); err != nil {
		return address{}, err
	}
	switch a.config.TargetSessionAttrs {
	case pq.TargetSessionAttrsReadOnly, pq.TargetSessionAttrsStandby, pq.TargetSessionAttrsPreferStandby:
		return address{}, errors.New("database URL: target_session_attrs must be read-write or primary, since the service writes")
	}
	if a.fallback {
		options["target_session_attrs"] = string(pq.TargetSessionAttrsPrimary)
	}
	a.dsn = keywords(options)
	return a, nil
}

// setDefaults adds defaults for options that are neither in the URL nor in the environment, and
// reports whether a primary that is read-only by default is accepted as a fallback.
func setDefaults(options map[string]string, config *pq.Config) (fallback bool) {
	// An unprepared query takes one round trip instead of two. The rest of the code relies on
	// it too, for sending ids as 16 bytes.
	options["binary_parameters"] = "yes"
	if config.ApplicationName == "" {
		options["application_name"] = "message-service"
	}
	if config.ConnectTimeout == 0 {
		options["connect_timeout"] = "5"
		if len(config.Multi) > 0 {
			options["connect_timeout"] = "2" // for each: a dead host delays the next one
		}
	}
	if config.SSLMode == "" && options["sslmode"] == "" {
		options["sslmode"] = string(pq.SSLModePrefer) // what psql does; the default of pq is about to change
	}
	switch config.TargetSessionAttrs {
	case "", pq.TargetSessionAttrsAny: // a standby cannot store
		options["target_session_attrs"] = string(pq.TargetSessionAttrsReadWrite)
		return true
	}
	return false
}

var optionName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// splitURL parses a URL into options of libpq, by libpq's grammar: it may have several hosts, each
// with a port, and a password with any characters but / and ?.
func splitURL(text string) (map[string]string, error) {
	_, rest, found := strings.Cut(text, "://")
	authority, rest := cutBefore(rest, "/?")
	name, query := cutBefore(rest, "?")
	if !found || strings.Contains(rest, "@") || strings.ContainsAny(text, "\x00\r\n\t ") {
		return nil, errURL
	}
	options := map[string]string{"dbname": strings.TrimPrefix(name, "/")}
	hosts := authority
	if at := strings.LastIndex(authority, "@"); at >= 0 {
		options["user"], options["password"], _ = strings.Cut(authority[:at], ":")
		hosts = authority[at+1:]
	}
	if err := splitHosts(hosts, options); err != nil {
		return nil, err
	}
	for pair := range strings.SplitSeq(strings.TrimPrefix(query, "?"), "&") {
		key, value, assigned := strings.Cut(pair, "=")
		if pair == "" {
			continue
		}
		if !assigned || !optionName.MatchString(key) {
			return nil, errURL
		}
		options[key] = value
	}
	for key, value := range options {
		decoded, err := url.PathUnescape(value)
		if err != nil || strings.Contains(decoded, "\x00") {
			return nil, errURL
		}
		if options[key] = decoded; decoded == "" {
			delete(options, key) // as in libpq, an empty value means no value
		}
	}
	return options, nil
}

// splitHosts parses "h1:5432,[::1],h2" into the options host and port.
func splitHosts(text string, options map[string]string) error {
	if text == "" {
		return nil
	}
	var hosts, ports []string
	for host := range strings.SplitSeq(text, ",") {
		name, port := cutBefore(host, ":")
		if strings.HasPrefix(host, "[") {
			var closed bool
			if name, port, closed = strings.Cut(host[1:], "]"); !closed {
				return errURL
			}
		}
		port = strings.TrimPrefix(port, ":")
		if port == "" {
			port = "5432"
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return errURL
		}
		if name == "" {
			name = "localhost"
		}
		hosts, ports = append(hosts, name), append(ports, port)
	}
	if text[0] != ':' || len(hosts) > 1 { // else the environment may name the host
		options["host"] = strings.Join(hosts, ",")
	}
	if strings.Contains(text[strings.LastIndex(text, "]")+1:], ":") || len(hosts) > 1 {
		options["port"] = strings.Join(ports, ",")
	}
	return nil
}

// cutBefore cuts text before the first of some characters.
func cutBefore(text, characters string) (before, after string) {
	if i := strings.IndexAny(text, characters); i >= 0 {
		return text[:i], text[i:]
	}
	return text, ""
}

// harmless are options that pq does not know and that may be ignored, for these values or, with
// nil, for any. Keep-alives matter only to connections that are idle for long. The options in the
// last line are of other programs, all others are libpq's.
var harmless = map[string][]string{
	"keepalives": nil, "keepalives_idle": nil, "keepalives_interval": nil, "keepalives_count": nil, "tcp_user_timeout": nil,
	"sslcompression": nil, "gsslib": nil, "gssdelegation": nil,
	"gssencmode": {"disable", "prefer"}, "sslcertmode": {"disable", "allow"}, "channel_binding": {"disable", "prefer", "require"}, "requiressl": {"0"},
	"pgbouncer": nil, "statement_cache_size": nil, "pool_timeout": nil, "uselibpqcompat": nil,
}

// unsupported are options of libpq that pq does not implement and that must not be ignored.
var unsupported = []string{"sslcrl", "sslcrldir", "sslpassword", "sslkeylogfile", "requirepeer", "require_auth", "replication",
	"scram_client_key", "scram_server_key", "oauth_issuer", "oauth_client_id", "oauth_client_secret", "oauth_scope"}

// settleOptions removes or refuses the options of libpq that pq does not know. pq sends unknown
// options to the server, which is right for the rest: they may be settings of the server.
func settleOptions(options map[string]string) error {
	if options["ssl"] == "true" { // of JDBC; libpq knows it, too
		delete(options, "ssl")
		if options["sslmode"] == "" {
			options["sslmode"] = string(pq.SSLModeRequire)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(options)) {
		values, ignored := harmless[name]
		switch {
		case ignored && (values == nil || slices.Contains(values, options[name])):
			delete(options, name)
		case ignored || slices.Contains(unsupported, name):
			return fmt.Errorf("database URL: the option %s is not supported, or not with that value; take it out", name)
		}
	}
	return nil
}

// keywords formats options as a connection string of keywords and values.
func keywords(options map[string]string) string {
	escape := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	var dsn strings.Builder
	for _, name := range slices.Sorted(maps.Keys(options)) {
		fmt.Fprintf(&dsn, "%s='%s' ", name, escape.Replace(options[name]))
	}
	return dsn.String()
}

// These match errors of pq that quote no value, and the option's name in those that do.
var (
	valueless = regexp.MustCompile(`^pq: (could not match \d+ |environment variable \$\w+ is not supported|weak sslmode |min_protocol_version )`)
	misvalued = regexp.MustCompile(`(?:wrong value for|unsupported) "?(\$?\w+)"?`)
	permitted = regexp.MustCompile(`; supported values are .*$`)
)

// newConfig parses options with pq. It removes the values that pq's errors quote.
func newConfig(options map[string]string) (pq.Config, error) {
	config, err := pq.NewConfig(keywords(options))
	if err == nil {
		return config, nil
	}
	text := err.Error()
	if valueless.MatchString(text) {
		return config, fmt.Errorf("database URL: %s", strings.TrimPrefix(text, "pq: "))
	}
	if name := misvalued.FindStringSubmatch(text); name != nil {
		return config, fmt.Errorf("database URL: the value of %s cannot be used%s", name[1], permitted.FindString(text))
	}
	return config, errors.New("the database URL, or the service file it names, cannot be used")
}
