package views

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

func TestScriptsAreServedWithoutTheirDocumentation(t *testing.T) {
	source := "/** one line */\nlet a = 1; // kept\n\n  /**\n   * Two\n   */\n  let b = \"/** kept */\";\n"
	want := "\nlet a = 1; // kept\n\n\n\n\n  let b = \"/** kept */\";\n"
	files := leanFiles{fstest.MapFS{"js/a.js": {Data: []byte(source)}, "vendor/b/c.js": {Data: []byte(source)}}}
	for name, want := range map[string]string{"js/a.js": want, "vendor/b/c.js": source} {
		got, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		info, err := fs.Stat(files, name)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want || info.Size() != int64(len(want)) || strings.Count(string(got), "\n") != strings.Count(source, "\n") {
			t.Errorf("%s is %q, %d bytes", name, got, info.Size())
		}
	}
}
