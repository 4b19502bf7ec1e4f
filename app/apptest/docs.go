package apptest

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// ReadDoc returns the text of a document in app/, such as PROTOCOL.md.
func ReadDoc(t testing.TB, name string) string {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	text, err := os.ReadFile(filepath.Join(filepath.Dir(here), "..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// ExpectDoc checks that a document in app/ contains the phrases, regardless of line breaks. Each
// package checks that the documents agree with its constants.
func ExpectDoc(t testing.TB, name string, phrases ...string) {
	t.Helper()
	text := strings.Join(strings.Fields(ReadDoc(t, name)), " ")
	for _, phrase := range phrases {
		if !strings.Contains(text, phrase) {
			t.Errorf("%s does not contain %q", name, phrase)
		}
	}
}

// Grouped formats a number with thousands separators.
func Grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// CodeBlocks returns the lines of all fenced code blocks in the given language.
func CodeBlocks(t testing.TB, name, language string) (lines []string) {
	t.Helper()
	inside := false
	for line := range strings.Lines(ReadDoc(t, name)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```"+language
		case inside && line != "":
			lines = append(lines, line)
		}
	}
	return lines
}
