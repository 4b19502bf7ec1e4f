package main

import (
	"bytes"
	"context"
	"log/slog"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// isIgnored reports whether .dockerignore excludes a file. The last pattern that matches its path, or a
// parent folder, decides. The only supported wildcard is a leading **/.
func isIgnored(t *testing.T, file string) (ignored bool) {
	t.Helper()
	for line := range strings.Lines(readRoot(t, ".dockerignore")) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		pattern, keeps := strings.CutPrefix(line, "!")
		pattern, anywhere := strings.CutPrefix(pattern, "**/")
		for i, element := range strings.Split(file, "/") {
			matched, err := path.Match(pattern, element)
			if err != nil {
				t.Fatal(err)
			}
			if matched && (anywhere || i == 0) {
				ignored = !keeps
			}
		}
	}
	return ignored
}

// The builder needs the program's sources. Anything else in the folder may be secret.
func TestBuilderGetsOnlySources(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{
		".env", ".env.local", "app/.env", ".git/config", "data/appendonlydir/x", "app/data/dump.rdb", "bin/app",
		"key.pem", "notes.txt", ".github/workflows/ci.yml", "README.md", "fly.toml",
	} {
		if !isIgnored(t, secret) {
			t.Errorf("%s is sent to the builder, want it ignored", secret)
		}
	}
	const format = `{{if .Module}}{{if .Module.Main}}{{$dir := .Dir}}{{range .GoFiles}}{{$dir}}/{{.}}
{{end}}{{range .EmbedFiles}}{{$dir}}/{{.}}
{{end}}{{end}}{{end}}`
	list, err := exec.Command("go", "list", "-deps", "-f", format, "burble/app").Output()
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	files := append(strings.Fields(string(list)), filepath.Join(root, "go.mod"), filepath.Join(root, "go.sum"))
	for _, file := range files {
		relative, err := filepath.Rel(root, file)
		if err != nil || isIgnored(t, filepath.ToSlash(relative)) {
			t.Errorf("%s is needed, but not sent to the builder: %v", relative, err)
		}
	}
	if len(files) < 100 {
		t.Errorf("the program has %d files, want at least 100", len(files))
	}
}

func TestImageIsStrippedAndItsBaseIsMaintained(t *testing.T) {
	t.Parallel()
	match(t, "app/Dockerfile", `-ldflags "(-s -w) `)
	match(t, "app/Dockerfile", `(?m)^FROM gcr.io/distroless/(static-debian13):nonroot$`) // support for debian12 ended in September 2026
}

// The program reports its version, whether the Dockerfile, go build or go install built it.
func TestVersion(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "burble")
	flags := match(t, "app/Dockerfile", `-ldflags "(.*)"`)[0]
	build := exec.Command("go", "build", "-buildvcs=false", "-ldflags", strings.ReplaceAll(flags, "$VERSION", "v1.2.3"), "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, flag := range []string{"-version", "--version"} {
		command := exec.Command(program, flag)
		command.Env = []string{"PORT=invalid"}
		if out, err := command.CombinedOutput(); err != nil || string(out) != "burble v1.2.3\n" {
			t.Errorf("%s printed %q, %v; want burble v1.2.3", flag, out, err)
		}
	}
	if got := version(env("HEROKU_BUILD_COMMIT", "5263b88")); got != "5263b88" {
		t.Errorf("on Heroku: version %q, want 5263b88", got)
	}
	if got := version(env()); got != "unknown" {
		t.Errorf("with no variable set: version %q, want unknown", got)
	}
}

func TestFirstLineOfTheLogHasTheVersion(t *testing.T) {
	t.Parallel()
	var logs bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	run(ctx, Config{RedisURL: "redis://127.0.0.1:1"}, slog.New(slog.NewTextHandler(&logs, nil)))
	if first, _, _ := strings.Cut(logs.String(), "\n"); !strings.Contains(first, "version=unknown") {
		t.Errorf("the first line of the log is %q, want the version", first)
	}
}
