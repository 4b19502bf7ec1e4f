package markup

import (
	"html"
	"regexp"
	"strings"
	"unicode"

	"burble/streams"
)

// HTML returns the entry's text as HTML. It renders text that starts with "/me " as an action of the
// author, and one to three emoji without other text in a large font. The HTML
// of an entry without text, such as a message that consists of files, is empty.
func HTML(entry *streams.Entry) string {
	if entry.Text == "" {
		return ""
	}
	if action, ok := strings.CutPrefix(entry.Text, "/me "); ok && strings.TrimSpace(action) != "" {
		return `<p class="action"><bdi>` + html.EscapeString(entry.User.Name) + `</bdi> ` + html.EscapeString(strings.TrimSpace(action)) + `</p>`
	}
	if isOnlyEmoji(entry.Text) {
		return `<p class="emoji">` + html.EscapeString(strings.TrimSpace(entry.Text)) + `</p>`
	}
	return cache.render(entry.Text, renderMarkdown)
}

var tagPattern = regexp.MustCompile(`<[^>]*>`)

// Text returns the text of rendered HTML without the tags.
func Text(rendered string) string {
	return html.UnescapeString(tagPattern.ReplaceAllString(rendered, ""))
}

// IsVisible reports whether r is drawn, on its own or on the preceding character. Unassigned
// characters count as visible, because a later version of Unicode may define them.
func IsVisible(r rune) bool {
	if r > ' ' && r < 0x7f {
		return true // fast path: most texts start with ASCII
	}
	return !unicode.IsSpace(r) && r != '\u2800' /* a Braille pattern without dots */ &&
		!unicode.In(r, unicode.Cc, unicode.Cf, unicode.Z, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

func isVisibleText(text string) bool { return strings.ContainsFunc(text, IsVisible) }
