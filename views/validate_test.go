package views

import (
	"os/exec"
	"path/filepath"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"
)

// The validators, as npm packages. Only this test uses them.
const (
	htmlValidatePackage = "html-validate@10.17.0"
	nuPackage           = "vnu-jar@26.9.27" // needs Java
)

// TestPagesAreValidHTML runs two validators on the golden files: html-validate, which also checks the content of
// template elements, and vnu, which checks more of the HTML standard.
func TestPagesAreValidHTML(t *testing.T) {
	redistest.SkipUnlessLong(t) // it takes long, and downloads the validators
	npm := apptest.FindProgram(t, "npm")
	pages, err := filepath.Glob("testdata/*.html")
	if err != nil || len(pages) == 0 {
		t.Fatalf("got %d golden files and the error %v, want at least one file", len(pages), err)
	}
	for name, command := range map[string][]string{
		"html-validate": {"--package", htmlValidatePackage, "--", "html-validate", "--config", "testdata/htmlvalidate.json"},
		"vnu":           {"--package", nuPackage, "--", "vnu", "--errors-only"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "vnu" {
				apptest.FindProgram(t, "java")
			}
			arguments := append([]string{"exec", "--yes", "--silent"}, command...)
			if out, err := exec.Command(npm, append(arguments, pages...)...).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
