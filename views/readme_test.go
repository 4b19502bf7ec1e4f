package views

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestReadmeNamesFilesAndTestsThatExist(t *testing.T) {
	_, table, _ := strings.Cut(readme(t), "| feature | code | tests |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	var tests strings.Builder
	for _, pattern := range []string{"*_test.go", "../app/*_test.go", "../app/*/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			tests.Write(source)
		}
	}
	names := regexp.MustCompile("`(Test[A-Za-z]+|[a-z-]+(?:\\.test)?\\.(?:go|js|mjs|css|html))`").FindAllStringSubmatch(table, -1)
	if len(names) < 100 {
		t.Fatalf("the table of features names %d files and tests, want at least 100", len(names))
	}
	for _, found := range names {
		name := found[1]
		if strings.HasPrefix(name, "Test") {
			if !strings.Contains(tests.String(), "func "+name+"(") {
				t.Errorf("README.md names %s, which does not exist", name)
			}
		} else if !exists(name) {
			t.Errorf("README.md names %s, which does not exist", name)
		}
	}
}

func TestReadmeListsEveryModule(t *testing.T) {
	_, table, _ := strings.Cut(readme(t), "| module | its job |")
	table, _, _ = strings.Cut(table, "\n\n")
	modules, err := filepath.Glob("static/js/*/*.js")
	if err != nil {
		t.Fatal(err)
	}
	listed := regexp.MustCompile("`([a-z-]+\\.js)`").FindAllStringSubmatch(table, -1)
	if len(listed) != len(modules) {
		t.Errorf("the table of modules lists %d modules, want %d", len(listed), len(modules))
	}
	for _, module := range modules {
		if !strings.Contains(table, "`"+filepath.Base(module)+"`") {
			t.Errorf("the table of modules does not list %s", module)
		}
	}
}

func readme(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func exists(name string) bool {
	for _, folder := range []string{".", "static/js/*", "static/css", "templates"} {
		if found, _ := filepath.Glob(filepath.Join(folder, name)); len(found) > 0 { // The pattern is valid.
			return true
		}
	}
	return false
}
