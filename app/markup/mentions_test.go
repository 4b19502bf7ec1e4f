package markup

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"burble/streams"
	"burble/streams/fold"
)

// TestMentions checks the same cases as highlight.test.mjs in views. The field "prose" of a case has the texts in
// which the server and the page must look for mentions.
func TestMentions(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("../../views/testdata/mentions.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Text, Name string
		Names      []string
		Prose      []string
		Mentioned  bool
	}
	if err := json.Unmarshal(file, &cases); err != nil || len(cases) < 40 {
		t.Fatalf("the file has %d cases, want at least 40: %v", len(cases), err)
	}
	for _, test := range cases {
		entry := &streams.Entry{Text: test.Text, User: streams.User{Name: "@Ada"}}
		got := Mentions(entry, test.Names)
		if slices.Contains(got, fold.String(test.Name)) != test.Mentioned {
			t.Errorf("%q mentions %q, want %q among them: %v", test.Text, got, test.Name, test.Mentioned)
		}
		if prose := prose(HTML(entry)); !slices.Equal(prose, test.Prose) {
			t.Errorf("%q: the server looks for mentions in %q, want %q", test.Text, prose, test.Prose)
		}
	}
}

func TestMentionsAreBounded(t *testing.T) {
	t.Parallel()
	for _, text := range []string{strings.Repeat("@a b ", 800), strings.Repeat("@", 4000), "@" + strings.Repeat("你", 3999), "@" + strings.Repeat("x ", 1900)} {
		size := 0
		for _, name := range Mentions(&streams.Entry{Text: text}, nil) {
			size += len(name)
		}
		if size > 4*len(text) {
			t.Errorf("%.20q mentions names of %d bytes, want at most %d", text, size, 4*len(text))
		}
	}
}
