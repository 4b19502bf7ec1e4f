package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every row of the threat table names tests, and they exist.
func TestEveryThreatHasItsTests(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, threats, found := strings.Cut(string(text), "\n## Threats\n")
	if !found {
		t.Fatal("there is no section Threats")
	}
	functions := testFunctions(t)
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")
	rows := 0
	for line := range strings.Lines(threats) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || strings.HasPrefix(line, "| somebody tries") {
			continue
		}
		rows++
		cells := strings.Split(strings.Trim(line, "|"), " | ")
		tests := named.FindAllStringSubmatch(cells[len(cells)-1], -1)
		if len(cells) != 3 || len(tests) == 0 {
			t.Errorf("a row without its three cells, or without a test: %s", line)
		}
		for _, test := range tests {
			if !functions[test[1]] {
				t.Errorf("there is no %s, which shows: %s", test[1], cells[0])
			}
		}
	}
	if rows < 25 {
		t.Errorf("%d threats", rows)
	}
}

// testFunctions are the names of all tests and fuzz targets of the project.
func testFunctions(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	for _, dir := range []string{"../app", "../streams", "../views"} {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			for _, found := range function.FindAllSubmatch(source, -1) {
				names[string(found[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return names
}
