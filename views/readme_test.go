package views

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestReadmeNamesFilesAndTestsThatExist(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(readme), "| what | made by | shown by |\n")
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
	names := regexp.MustCompile("`(Test[A-Za-z]+|[a-z]+(?:\\.test)?\\.(?:go|js|mjs|css|html))`").FindAllStringSubmatch(table, -1)
	if len(names) < 100 {
		t.Fatalf("the table names only %d files and tests", len(names))
	}
	for _, found := range names {
		name := found[1]
		if strings.HasPrefix(name, "Test") {
			if !strings.Contains(tests.String(), "func "+name+"(") {
				t.Errorf("there is no %s", name)
			}
		} else if !exists(name) {
			t.Errorf("there is no %s", name)
		}
	}
}

func exists(name string) bool {
	for _, folder := range []string{".", "static/js/*", "static/css", "templates"} {
		if found, _ := filepath.Glob(filepath.Join(folder, name)); len(found) > 0 { // the pattern is valid
			return true
		}
	}
	return false
}
