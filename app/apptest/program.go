package apptest

import (
	"os"
	"os/exec"
	"testing"
)

// FindProgram returns the path of a program. It skips the test if the program is not in PATH, or
// fails the test if CI is set.
func FindProgram(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatalf("%s is not in PATH; CI may not skip this test", name)
	default:
		t.Skipf("%s is not in PATH", name)
	}
	return path
}
