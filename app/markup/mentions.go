package markup

import (
	"html"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"burble/streams"
	"burble/streams/fold"
)

// Limits of what one message can mention.
const (
	maxMentions  = 50 // number of @
	maxPrefixes  = 10 // candidate names for one @ if none of them is known
	maxNameBytes = 80 // bytes of a folded name
)

// HasAt reports whether the text contains an @ of any width. If not, it mentions nobody.
func HasAt(text string) bool { return strings.ContainsAny(text, "@＠﹫") }

// Mentions returns the folded names that a message mentions, without duplicates. The result is never nil.
// A mention is an @ followed by a name, outside of code and links, and without a backslash before it.
// Mentions chooses the longest matching name in known, so @Ada Lovelace does not mention Ada if there is
// an Ada Lovelace. If none matches, it returns each sequence of words after the @, because it may be the
// name of a user who is not in the room now.
//
// The test cases are in views/testdata/mentions.json. highlight.js in views applies the same rules.
func Mentions(entry *streams.Entry, known []string) []string {
	found := []string{}
	names := make([]string, 0, len(known))
	for _, name := range known {
		names = append(names, fold.String(name))
	}
	slices.SortFunc(names, func(a, b string) int { return len(b) - len(a) })
	candidates := 0
	for _, text := range prose(HTML(entry)) {
		text = fold.Map(text).Folded
		for at := range len(text) {
			if text[at] != '@' || !mayMention(text[:at]) {
				continue
			}
			if candidates++; candidates > maxMentions {
				return found
			}
			for _, name := range mentioned(text[at+1:], names) {
				if !slices.Contains(found, name) {
					found = append(found, name)
				}
			}
		}
	}
	return found
}

// mentioned returns the first of the names that the text begins with. If there is none, it returns every
// name that the text could begin with.
func mentioned(text string, names []string) (found []string) {
	for _, name := range names {
		if name != "" && strings.HasPrefix(text, name) && endsName(text[len(name):]) {
			return []string{name}
		}
	}
	for end := range text {
		if end > 0 && text[end-1] != ' ' && endsName(text[end:]) {
			found = append(found, text[:end])
		}
		if len(found) == maxPrefixes || end > maxNameBytes {
			return found
		}
	}
	if text = strings.TrimSpace(text); text != "" && len(text) <= maxNameBytes && !slices.Contains(found, text) {
		found = append(found, text)
	}
	return found
}

var (
	bareURL    = regexp.MustCompile(`\.\pL[^\s@]*/$`)
	nameGoesOn = regexp.MustCompile(`^[/._@-][\pL\pN]`)
)

// mayMention reports whether an @ after the folded text can begin a mention. It cannot after a letter, as in an email
// address, or within a URL, such as example.org/@ada.
func mayMention(before string) bool {
	last, _ := utf8.DecodeLastRuneInString(before)
	return !fold.IsSpacedWord(last) && !(last == '/' && bareURL.MatchString(before))
}

// endsName reports whether a name may end before the folded text. Ada, for example, does not end within
// @adam and @ada/core.
func endsName(after string) bool {
	next, _ := utf8.DecodeRuneInString(after)
	return !fold.IsSpacedWord(next) && !nameGoesOn.MatchString(after)
}

var notProse = regexp.MustCompile(`(?s)<(?:code|a|bdi|summary)\b.*?</(?:code|a|bdi|summary)>`)

// prose returns the texts between the tags of rendered HTML, without code, links, and the author of an action.
func prose(rendered string) (texts []string) {
	for _, text := range tagPattern.Split(notProse.ReplaceAllString(rendered, "<wbr>"), -1) {
		if text != "" && text != "\n" {
			texts = append(texts, html.UnescapeString(text))
		}
	}
	return texts
}
