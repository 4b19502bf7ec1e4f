package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLinksInDocs checks that the files and headings to which the documents link exist.
func TestLinksInDocs(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	docs := []string{"../README.md"}
	for _, pattern := range []string{"*.md", "*/*.md", "../streams/*.md", "../views/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, found...)
	}
	for _, doc := range docs {
		for _, match := range link.FindAllStringSubmatch(readFile(t, doc), -1) {
			target, heading, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			path := doc
			if target != "" {
				path = filepath.Join(filepath.Dir(doc), target)
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s links to %s: %v", doc, match[1], err)
			} else if heading != "" && !hasHeading(readFile(t, path), heading) {
				t.Errorf("%s links to %s, but there is no such heading", doc, match[1])
			}
		}
	}
}

// hasHeading reports whether a document has a heading with this anchor, as GitHub makes them.
func hasHeading(text, anchor string) bool {
	dropped := regexp.MustCompile(`[^\w\- ]`)
	for line := range strings.Lines(text) {
		title, isHeading := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if !isHeading || !strings.HasPrefix(line, "#") {
			continue
		}
		title = dropped.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
		if strings.ReplaceAll(title, " ", "-") == anchor {
			return true
		}
	}
	return false
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
