package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"burble/app/web"

	"github.com/alicebob/miniredis/v2"
)

// These tests compare the program with Procfile, app.json, fly.toml, the Dockerfile, go.mod, the CI
// configuration and the commands in the README. Their helpers:
//
//	readRoot     returns the text of a file in the repository
//	match        returns the text that a regular expression captures in a file
//	readTOML     returns the settings in a TOML file
//	appJSONEnv   returns the environment in app.json
//	assignments  returns the variables that commands in the README set

func readRoot(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(path.Join("..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// match returns the first group of every match. It fails the test if there is no match.
func match(t *testing.T, name, expression string) (found []string) {
	t.Helper()
	for _, groups := range regexp.MustCompile(expression).FindAllStringSubmatch(readRoot(t, name), -1) {
		found = append(found, groups[1])
	}
	if len(found) == 0 {
		t.Fatalf("%s does not match %s", name, expression)
	}
	return found
}

// readTOML returns values by "table.key", without quotes. It supports only values on a single line.
func readTOML(t *testing.T, name string) map[string]string {
	t.Helper()
	settings, table := map[string]string{}, ""
	for line := range strings.Lines(readRoot(t, name)) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
		if strings.HasPrefix(line, "[") {
			table = strings.Trim(line, "[]") + "."
		}
		if key, value, ok := strings.Cut(line, " = "); ok && !strings.HasPrefix(line, "#") {
			settings[table+key] = strings.Trim(value, `"`)
		}
	}
	return settings
}

// appJSONEnv returns the environment in app.json. It substitutes 32 characters for a secret that Heroku
// would generate.
func appJSONEnv(t *testing.T) map[string]string {
	t.Helper()
	var app struct {
		Env map[string]struct{ Value, Generator string }
	}
	if err := json.Unmarshal([]byte(readRoot(t, "app.json")), &app); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	for name, variable := range app.Env {
		env[name] = cmp.Or(variable.Value, strings.Repeat("x", 32))
	}
	return env
}

// assignments returns the variables that commands in the README set. It considers only commands that
// start with prefix.
func assignments(t *testing.T, prefix string) map[string]string {
	t.Helper()
	env := map[string]string{}
	for _, command := range match(t, "README.md", "("+prefix+".*?)[`\n]") {
		for _, pair := range regexp.MustCompile(`([A-Z_]+)=(\$\(.*?\)|\S+)`).FindAllStringSubmatch(command, -1) {
			env[pair[1]] = pair[2]
		}
	}
	return env
}

func TestDeploymentsSetOnlyKnownVariables(t *testing.T) {
	t.Parallel()
	known := []string{"GOMEMLIMIT", "GOMAXPROCS", "GOGC"} // read by Go's runtime
	for _, v := range variables {
		known = append(known, v.Name)
	}
	flyEnv := map[string]string{}
	for key, value := range readTOML(t, "fly.toml") {
		if name, ok := strings.CutPrefix(key, "env."); ok {
			flyEnv[name] = value
		}
	}
	compose := map[string]string{}
	for _, name := range match(t, "compose.yaml", `(?m)^      ([A-Z_]+): `) {
		compose[name] = match(t, "compose.yaml", `(?m)^      `+name+`: (.*)$`)[0]
	}
	for source, settings := range map[string]map[string]string{
		"fly.toml": flyEnv, "app.json": appJSONEnv(t),
		"README.md, Heroku": assignments(t, "heroku config:set"), "README.md, Fly": assignments(t, "fly secrets set"),
		"README.md, Docker": assignments(t, "docker run -d --name burble "), "compose.yaml": compose,
	} {
		if len(settings) == 0 {
			t.Errorf("%s sets no variables", source)
		}
		for name, value := range settings {
			if !slices.Contains(known, name) {
				t.Errorf("%s sets the unknown variable %s", source, name)
			}
			if _, err := ParseConfig(nil, env(name, value, "LOCAL_REDIS", localAlways)); err != nil && !strings.Contains(value, "$(") {
				t.Errorf("%s: %v", source, err)
			}
		}
	}
}

func TestHerokuButtonMatchesReadme(t *testing.T) {
	t.Parallel()
	button, readme := appJSONEnv(t), assignments(t, "heroku config:set TRUSTED_PROXY")
	if !reflect.DeepEqual(slices.Sorted(maps.Keys(button)), slices.Sorted(maps.Keys(readme))) {
		t.Errorf("app.json sets %v, but README.md sets %v, want the same variables", button, readme)
	}
	for _, name := range []string{"TRUSTED_PROXY", "GOMEMLIMIT"} {
		if button[name] != readme[name] {
			t.Errorf("%s is %q in app.json but %q in README.md", name, button[name], readme[name])
		}
	}
}

func TestDeploymentsRunWhatTheyBuild(t *testing.T) {
	t.Parallel()
	install := match(t, "go.mod", `(?m)^// \+heroku install (\S+)$`)
	// Heroku's classic buildpack puts bin/ on PATH. A Cloud Native buildpack instead puts a layer on PATH
	// that has no bin/app.
	if got, want := match(t, "Procfile", `(?m)^web: (.*)$`)[0], path.Base(install[0]); got != want || len(install) != 1 {
		t.Errorf("Procfile runs %s, but Heroku builds %s", got, want)
	}
	dockerfile := readTOML(t, "fly.toml")["build.dockerfile"]
	built := match(t, dockerfile, `(?m)^RUN .*go build .*-o (\S+) \./app$`)[0]
	copied := match(t, dockerfile, `(?m)^COPY --from=build `+built+` (\S+)$`)[0]
	if got := match(t, dockerfile, `(?m)^ENTRYPOINT \["(.*)"\]$`)[0]; got != copied {
		t.Errorf("%s runs %s, but copies the program to %s", dockerfile, got, copied)
	}
	match(t, "README.md", "`(go build -o burble ./app)`")
	match(t, ".github/workflows/ci.yml", `(?m)^ +- run: (\.ci/run)\b`)
	if info, err := os.Stat("../.ci/run"); err != nil || runtime.GOOS != "windows" && info.Mode().Perm()&0o111 == 0 {
		t.Errorf(".ci/run cannot be executed: %v", err)
	}
}

func TestDeploymentsUseGoVersionOfGoMod(t *testing.T) {
	t.Parallel()
	want := match(t, "go.mod", `(?m)^go (1\.\d+)`)[0]
	for name, expression := range map[string]string{
		"go.mod":         `(?m)^// \+heroku goVersion go(\S+)$`,
		"app/Dockerfile": `(?m)^FROM golang:(\S+) AS build$`,
		"README.md":      `You need Go (1\.\d+)`,
	} {
		if got := match(t, name, expression)[0]; got != want {
			t.Errorf("%s uses Go %s, but go.mod requires Go %s", name, got, want)
		}
	}
	match(t, ".github/workflows/ci.yml", `(?m)^ +go-version-file: (go\.mod)$`)
}

func TestCIClearsEveryVariable(t *testing.T) {
	t.Parallel()
	unset := strings.Fields(match(t, ".ci/run", `(?m)^unset ((?:.*\\\n)*.*)$`)[0])
	for _, name := range []string{"DYNO", "GO_ENV"} {
		if !slices.Contains(unset, name) {
			t.Errorf(".ci/run does not unset %s", name)
		}
	}
	for _, v := range variables {
		if !slices.Contains(unset, v.Name) {
			t.Errorf(".ci/run does not unset %s", v.Name)
		}
	}
}

func TestFlyWaitsForDrain(t *testing.T) {
	t.Parallel()
	fly := readTOML(t, "fly.toml")
	seconds, err := strconv.Atoi(fly["kill_timeout"])
	if err != nil || fly["kill_signal"] != "SIGTERM" {
		t.Fatalf("kill_timeout is %q, kill_signal %q; want a duration and SIGTERM", fly["kill_timeout"], fly["kill_signal"])
	}
	// After web.DrainTimeout, Burble finishes requests in progress and stops the store and a Redis
	// child.
	const bound = web.DrainTimeout + 5*time.Second
	if killed := time.Duration(seconds) * time.Second; bound >= killed {
		t.Errorf("a drain takes up to %v, but Fly kills the process after %v", bound, killed)
	}
	match(t, "fly.toml", fmt.Sprintf("(within %d s)", int(bound.Seconds())))
	match(t, "README.md", fmt.Sprintf("(within %d s of SIGTERM)", int(bound.Seconds())))
	match(t, "README.md", fmt.Sprintf("(%d s to exit after SIGTERM)", seconds))
	match(t, "README.md", fmt.Sprintf("(--stop-timeout %d) ", seconds))
	match(t, "README.md", fmt.Sprintf("(TimeoutStopSec=%d)\n", seconds))
	match(t, "compose.yaml", fmt.Sprintf("(stop_grace_period: %ds)\n", seconds))
}

// The command must create no replicas, because reads from a replica could miss the newest entries. It must not
// prompt, because a prompt would block a script.
func TestReadmeCreatesRedisOnFly(t *testing.T) {
	t.Parallel()
	match(t, "fly.toml", `(?m)^primary_region = "([a-z]{3})"$`) // without it, the server and its Redis may be far apart
	command := match(t, "README.md", "(?m)^(fly redis create .*)$")[0]
	for _, flag := range []string{`--name "$APP-redis"`, `--region "$REGION"`, "--no-replicas", "--disable-eviction", "--enable-prodpack=false"} {
		if !strings.Contains(command, flag) {
			t.Errorf("the command %q lacks %s", command, flag)
		}
	}
}

// Go must collect garbage before the machine runs out of memory.
func TestFlyMemoryLimitFitsMachine(t *testing.T) {
	t.Parallel()
	fly := readTOML(t, "fly.toml")
	limit, err := strconv.Atoi(strings.TrimSuffix(fly["env.GOMEMLIMIT"], "MiB"))
	if err != nil {
		t.Fatal(err)
	}
	machine, err := strconv.Atoi(strings.TrimSuffix(fly["vm.memory"], "mb"))
	if err != nil || limit >= machine {
		t.Errorf("GOMEMLIMIT is %d MiB, but the machine has %d MiB: %v", limit, machine, err)
	}
}

// Burble must pass Fly's checks when it runs with the environment in fly.toml.
func TestFlyChecksPass(t *testing.T) {
	t.Parallel()
	fly := readTOML(t, "fly.toml")
	fly["env.REDIS_URL"] = "redis://" + miniredis.RunT(t).Addr()
	config, err := ParseConfig(nil, func(name string) string { return fly["env."+name] })
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"http_service.internal_port", "metrics.port"} {
		if fly[key] != strconv.Itoa(config.Port) {
			t.Errorf("%s is %s, but Burble listens on %d", key, fly[key], config.Port)
		}
	}
	config.Port = 0
	url := startRun(t, config)
	for table, method := range map[string]string{"http_service.checks": fly["http_service.checks.method"], "metrics": http.MethodGet} {
		request, err := http.NewRequest(method, url+fly[table+".path"], nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s %s: status %s, want 200", table, method, request.URL.Path, response.Status)
		}
	}
}

// listeningLog is a slog.Handler that sends the URL of a listening server to the channel.
type listeningLog chan string

func (listeningLog) Enabled(context.Context, slog.Level) bool { return true }
func (l listeningLog) WithAttrs([]slog.Attr) slog.Handler     { return l }
func (l listeningLog) WithGroup(string) slog.Handler          { return l }

func (l listeningLog) Handle(_ context.Context, record slog.Record) error {
	record.Attrs(func(attr slog.Attr) bool {
		if record.Message == "listening" && attr.Key == "url" {
			l <- attr.Value.String()
		}
		return true
	})
	return nil
}
