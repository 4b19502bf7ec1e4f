package markup

import (
	"html"
	"regexp"
	"strings"

	"burble/streams"
)

// HTML returns the entry's text as HTML. It renders text that starts with "/me " as an action of the
// author, and one to three emoji without other text in a large font.
func HTML(entry *streams.Entry) string {
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
