package views

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

func TestScriptsAreServedWithoutTheirDocumentation(t *testing.T) {
	source := "/** one line */\nlet a = 1; // kept\n\n  /**\n   * Two\n   */\n  // three\n  let b = \"/** kept */\";\n"
	want := "\nlet a = 1; // kept\n\n\n\n\n\nlet b = \"/** kept */\";\n"
	files := leanFiles{fstest.MapFS{"js/a.js": {Data: []byte(source)}, "css/a.css": {Data: []byte(source)}, "vendor/b/c.js": {Data: []byte(source)}}}
	for name, want := range map[string]string{"js/a.js": want, "css/a.css": want, "vendor/b/c.js": source} {
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

func TestNoStringOfOursGoesOverSeveralLines(t *testing.T) {
	sources := sub(staticFiles, "static")
	scripts, err := fs.Glob(sources, "js/*.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		source, err := fs.ReadFile(sources, script)
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range strings.Split(string(comments.ReplaceAllFunc(source, func(comment []byte) []byte {
			return []byte(strings.Repeat("\n", strings.Count(string(comment), "\n")))
		})), "\n") {
			code, _, _ := strings.Cut(line, " // ")
			if strings.Count(code, "`")%2 == 1 {
				t.Errorf("%s:%d: %s", script, n+1, line)
			}
		}
	}
}
