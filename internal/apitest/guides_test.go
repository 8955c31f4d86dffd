//go:build tools

package apitest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

var namedFile = regexp.MustCompile("(?ms)`([\\w./-]+)`:\n\n```\\w+\n(.*?)^```$")

// readNamedFiles returns the files that a guide shows, each after its name, with the
// replacements made.
func readNamedFiles(t *testing.T, guide string, replacements ...string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, match := range namedFile.FindAllStringSubmatch(readFiles(t, ".md")[guide], -1) {
		files[match[1]] = strings.NewReplacer(replacements...).Replace(match[2])
	}
	if len(files) == 0 {
		t.Fatalf("%s shows no files", guide)
	}
	return files
}

// TestInboxGuide follows the guide in a copy of the SDK, and opens the app in Chromium.
func TestInboxGuide(t *testing.T) {
	t.Parallel()
	p := startBinary(t)
	folder := t.TempDir()
	checkout := filepath.Join(folder, "message-service")
	copyFolder(t, "gen/typescript", filepath.Join(checkout, "gen", "typescript"))
	for _, generated := range []string{"node_modules", "dist"} {
		if err := os.RemoveAll(filepath.Join(checkout, "gen", "typescript", generated)); err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range readBlocks(t, p, "docs/guides/inbox.md") {
		if b.language == "sh" && !strings.HasPrefix(b.text, "npx vite") {
			runTool(t, p, checkout, "sh", "-ec", b.text)
		}
	}
	app := filepath.Join(folder, "inbox")
	var programs []string
	for name, content := range readNamedFiles(t, "docs/guides/inbox.md", "http://localhost:8080", p.URL) {
		writeFile(t, filepath.Join(app, name), content)
		if filepath.Ext(name) == ".ts" {
			programs = append(programs, name)
		}
	}
	check := []string{"tsc", "--strict", "--noEmit", "--target", "es2022", "--lib", "es2023,dom,dom.iterable",
		"--module", "esnext", "--moduleResolution", "bundler", "--skipLibCheck"} // of Vite's own
	runTool(t, p, app, "npx", append(check, programs...)...)
	driver, err := filepath.Abs("testdata/inbox.mjs")
	if err != nil {
		t.Fatal(err)
	}
	runTool(t, p, app, "node", driver)
	runTool(t, p, app, "npx", "vite", "build")
}

// writeCertificate makes a certificate for localhost, and returns the files of it and of its key.
func writeCertificate(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour)}
	public, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	certificate, key = filepath.Join(folder, "certificate.pem"), filepath.Join(folder, "key.pem")
	writeFile(t, certificate, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: public})))
	writeFile(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	return certificate, key
}

// freePort returns a port that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	port, err := dbtest.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(port)
}

// startProxy starts a program of .tools/proxies, and returns the first response on its port.
func startProxy(t *testing.T, port, program string, args ...string) (status int) {
	t.Helper()
	path, err := filepath.Abs("../../.tools/proxies/" + program)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(path, args...)
	command.Env = append(command.Environ(), "HOME="+t.TempDir())
	log := &strings.Builder{}
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait() // the log says why
		close(ended)
	}()
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt) // it may have ended on its own
		<-ended
		if t.Failed() {
			t.Logf("%s:\n%s", program, log)
		}
	})
	browser := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	for {
		answer, err := browser.Get("https://localhost:" + port + "/health")
		if err == nil {
			_ = answer.Body.Close()
			return answer.StatusCode
		}
		select {
		case <-ended:
			t.Fatalf("%s has ended", program)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// shellSamples returns the two shell samples of a guide.
func shellSamples(t *testing.T, guide string) (first, second string) {
	t.Helper()
	found := regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllStringSubmatch(readFiles(t, ".md")[guide], -1)
	if len(found) != 2 {
		t.Fatalf("%s has %d shell samples", guide, len(found))
	}
	return found[0][1], found[1][1]
}

// proxyConfig is a configuration file of the guide, and what the distribution adds around it.
type proxyConfig struct {
	program, file, frame string
	args                 []string
}

var (
	nginxConfig = proxyConfig{"nginx", "/etc/nginx/conf.d/message-service.conf", "daemon off; pid nginx.pid; error_log stderr; events {} http {\n" +
		"access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n%s}",
		[]string{"-e", "stderr", "-p", "FOLDER", "-c", "FOLDER/config"}}
	caddyConfig = proxyConfig{"caddy", "/etc/caddy/Caddyfile", "{\nadmin off\nauto_https disable_redirects\n}\n%s",
		[]string{"run", "--adapter", "caddyfile", "--config", "FOLDER/config"}}
)

// serve starts the proxy with the file of the guide, with its own name, port and folders and the given
// replacements.
func (c proxyConfig) serve(t *testing.T, p *apitest.Process, certificate, key string, replacements ...string) (port string, status int) {
	t.Helper()
	port, folder := freePort(t), t.TempDir()
	file := readNamedFiles(t, "docs/guides/proxies.md", append(replacements,
		"/etc/ssl/chat.example.org.pem", certificate, "/etc/ssl/chat.example.org.key", key,
		"listen 443", "listen "+port, "server_name chat.example.org", "server_name localhost",
		"chat.example.org {", "localhost:"+port+" {", "127.0.0.1:8080", strings.TrimPrefix(p.URL, "http://"))...)[c.file]
	writeFile(t, filepath.Join(folder, "config"), fmt.Sprintf(c.frame, file))
	var args []string
	for _, arg := range c.args {
		args = append(args, strings.ReplaceAll(arg, "FOLDER", folder))
	}
	return port, startProxy(t, port, c.program, args...)
}

// TestProxies runs nginx and Caddy as the guide says, and opens the service through each in
// Chromium.
func TestProxies(t *testing.T) {
	certificate, key := writeCertificate(t)
	driver, err := filepath.Abs("testdata/proxies.mjs")
	if err != nil {
		t.Fatal(err)
	}
	start, look := shellSamples(t, "docs/guides/proxies.md")
	serviceKey := filepath.Join(t.TempDir(), "key")
	writeFile(t, serviceKey, apitest.ServiceKey+"\n")
	inFile := strings.NewReplacer("/etc/message-service/key", serviceKey)
	for name, test := range map[string]struct {
		config    proxyConfig
		h2c, line string // the line that makes the proxy use HTTP/2 to the service
	}{
		"nginx":      {nginxConfig, "H2C=false", ""},
		"caddy":      {caddyConfig, "H2C=false", ""},
		"caddy, h2c": {caddyConfig, "H2C=true", "reverse_proxy h2c://127.0.0.1:8080"},
	} {
		t.Run(name, func(t *testing.T) {
			guide := readFiles(t, "proxies.md")["docs/guides/proxies.md"]
			if test.line != "" && (!strings.Contains(guide, "`"+test.h2c+"`") || !strings.Contains(guide, "`"+test.line+"`")) {
				t.Errorf("the guide does not say %s and %s", test.h2c, test.line)
			}
			p := apitest.StartProcess(t, "../../bin/message-service", dbtest.NewURL(t, db.SQLite),
				append(strings.Fields(strings.TrimSuffix(inFile.Replace(start), "message-service\n")), test.h2c)...)
			upstream := []string{"reverse_proxy 127.0.0.1:8080", strings.Replace(test.line, "127.0.0.1:8080", strings.TrimPrefix(p.URL, "http://"), 1)}
			if test.line == "" {
				upstream = nil
			}
			port, status := test.config.serve(t, p, certificate, key, upstream...)
			if status != http.StatusOK {
				t.Errorf("the proxy answered %d", status)
			}
			t.Setenv("PROXY", "https://localhost:"+port)
			t.Setenv("SHARED", fmt.Sprint(test.h2c == "H2C=true"))
			t.Setenv("TOKEN", apitest.ServiceKey)
			runTool(t, p, ".", "node", driver)
			answer := runShell(t, p, strings.NewReplacer("curl", "curl --silent --insecure", "chat.example.org", "localhost:"+port, "--max-time 40", "--max-time 5").Replace(strings.TrimSpace(inFile.Replace(look)))+" || test $? = 28")
			if !strings.Contains(answer, "event: ready") {
				t.Errorf("%sprinted %s", look, answer)
			}
		})
	}
}
