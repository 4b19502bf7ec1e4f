//go:build unix

package apptest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"testing"

	"burble/streams/redistest"
)

// HasRaceDetector reports whether the tests run with the race detector, which makes everything about ten times slower.
// If so, the program under test is built with it too, unless BuildWithoutRace is set.
var HasRaceDetector = sync.OnceValue(func() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
})

// PreviewExempt is the name of the environment variable that gives the built program the loopback address of a site that
// link previews may reach.
const PreviewExempt = "TEST_PREVIEW_EXEMPT"

// BuildWithoutRace makes Build build the program without the race detector. A package's TestMain sets it if the tests
// need not look for races in the server.
var BuildWithoutRace bool

// buildDir is the folder of the built program, "" before the first build.
var buildDir string

// build builds the program on the first call and returns its path.
var build = sync.OnceValues(func() (program string, err error) {
	if buildDir, err = os.MkdirTemp("", "apptest"); err != nil {
		return "", err
	}
	program = filepath.Join(buildDir, "burble")
	return program, Build(program, "-ldflags", "-X main.exemptVariable="+PreviewExempt)
})

// Build builds the program and writes it to path. args are additional arguments for the go command. Unlike go build, go
// run keeps linked programs in its cache, so only the first package that builds the program takes seconds.
func Build(path string, args ...string) error {
	args = append([]string{"run", "-exec", "cp", fmt.Sprint("-race=", HasRaceDetector() && !BuildWithoutRace)}, args...)
	if out, err := exec.Command("go", append(args, "burble/app", path)...).CombinedOutput(); err != nil {
		return fmt.Errorf("go run -exec cp: %w\n%s", err, out)
	}
	return nil
}

// Main runs a package's tests, then removes the files and processes that this package and redistest
// share between tests. A package that starts servers calls Main from TestMain.
func Main(m *testing.M) int {
	code := redistest.Main(m)
	if buildDir != "" {
		os.RemoveAll(buildDir)
	}
	return code
}

// Program returns the path of the program, for tests that run it as a command.
func Program(t testing.TB) string {
	t.Helper()
	program, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return program
}
