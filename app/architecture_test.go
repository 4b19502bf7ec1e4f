package main

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestArchitectureListsAllPackages checks that ARCHITECTURE.md mentions every package.
func TestArchitectureListsAllPackages(t *testing.T) {
	t.Parallel()
	text := readFile(t, "ARCHITECTURE.md")
	for name := range arrows {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("ARCHITECTURE.md does not mention package %s", name)
		}
	}
}

// TestNamesInArchitectureExist checks that the files, types, functions and fields in ARCHITECTURE.md
// exist.
func TestNamesInArchitectureExist(t *testing.T) {
	t.Parallel()
	files, declared := map[string]bool{}, map[string]bool{}
	declaration := regexp.MustCompile(`(?m)^(?:func (?:\([^)]*\) )?|type |\t)(\w+)`)
	for _, dir := range []string{"../app", "../streams", "../views"} {
		err := filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			name = filepath.ToSlash(name)
			files[strings.TrimPrefix(name, "../")], files[path.Base(name)] = true, true
			if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return nil
			}
			source, err := os.ReadFile(name)
			for _, found := range declaration.FindAllStringSubmatch(string(source), -1) {
				declared[found[1]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	names := 0
	code := regexp.MustCompile("`([^`\n]+)`|([\\w.]+) ─►|─► ([\\w.]+)")
	isFile := regexp.MustCompile(`^[\w/.]+(?:\.(?:go|lua|js|css|html|md)|/)$|^(?:app|streams|views)/[\w/.]+$`)
	isName := regexp.MustCompile(`^(?:(\w+)\.)?(\w+)$`)
	isCamel := regexp.MustCompile(`[a-z][A-Z]`)
	for _, found := range code.FindAllStringSubmatch(readFile(t, "ARCHITECTURE.md"), -1) {
		name := found[1] + found[2] + found[3]
		parts := isName.FindStringSubmatch(name)
		switch {
		case isFile.MatchString(name):
			if !files[strings.TrimSuffix(name, "/")] {
				t.Errorf("file %s does not exist", name)
			}
		case parts != nil && (parts[1] != "" || isCamel.MatchString(name)):
			if owner := parts[1]; owner != "" && !declared[owner] && !files[owner] || !declared[parts[2]] {
				t.Errorf("%s does not exist", name)
			}
		default:
			continue
		}
		names++
	}
	if names < 80 {
		t.Errorf("found %d names, want at least 80", names)
	}
}
