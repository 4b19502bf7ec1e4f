package markup

import (
	"testing"

	"burble/streams"
)

// The page finds the links of a text by simpler rules, so the server decides what is a link.
func TestHasLink(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text, link string
		want       bool
	}{
		{"see https://example.org/a?b=c&d=e#f now", "https://example.org/a?b=c&d=e#f", true},
		{"https://example.org", "https://example.org", true},
		{"HTTPS://Example.ORG/A", "https://example.org/A", true},
		{"(https://example.org/a_(b))", "https://example.org/a_(b)", true},
		{"[text](https://example.org/a)", "https://example.org/a", true},
		{"<https://example.org/a>", "https://example.org/a", true},
		{"![picture](https://example.org/a)", "https://example.org/a", true},
		{"https://bücher.example/straße", "https://bücher.example/straße", true},
		{"https://bücher.example/straße", "https://xn--bcher-kva.example/stra%C3%9Fe", true},
		{"> https://example.org/a", "https://example.org/a", true},
		{"https://example.org/ab", "https://example.org/a", false},
		{"`https://example.org/a`", "https://example.org/a", false},
		{"```\nhttps://example.org/a\n```", "https://example.org/a", false},
		{"    https://example.org/a", "https://example.org/a", false},
		{"/me reads https://example.org/a", "https://example.org/a", false},
		{"no link", "https://example.org/a", false},
		{"[https://example.org/a](https://example.net/)", "https://example.org/a", false},
		{`<a href="https://example.org/a">`, "https://example.org/b", false},
	}
	for _, test := range tests {
		target := Target(test.link)
		if target == "" {
			t.Errorf("Target(%q) = \"\", want a URL", test.link)
		}
		if got := HasLink(HTML(&streams.Entry{Text: test.text}), target); got != test.want {
			t.Errorf("%q has a link to %q: %v, want %v", test.text, target, got, test.want)
		}
	}
	for _, link := range []string{"", "mailto:ada@example.org", "javascript:alert(1)", "//example.org", "example.org", "https://", "https://a b/", "ftp://example.org/"} {
		if got := Target(link); got != "" {
			t.Errorf("Target(%q) = %q, want nothing", link, got)
		}
	}
}
