package pages

import (
	"testing"

	"burble/app/markup"
	"burble/streams"
)

func TestReplyQuotesPlainText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"its **cursor**: `a < b`\nsecond line": "its cursor: a < b",
		"*x* [here](https://example.com)":      "x here",
		"<b>not HTML</b>":                      "<b>not HTML</b>",
	} {
		entry := streams.Entry{Kind: streams.Message, Text: text}
		if got := firstLine(markup.Text(markup.HTML(&entry))); got != want {
			t.Errorf("%q is quoted as %q, want %q", text, got, want)
		}
	}
}
