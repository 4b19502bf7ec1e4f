package protocol

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"burble/streams"
)

// For each kind of entry, this file defines the frame that appends it, its JSON fields, and its line of
// plain text. A new field also needs a case in Frame.setField or Frame.setText. ARCHITECTURE.md lists the
// files that a new kind touches in other packages.

// frameType describes a type of frame that clients send.
type frameType struct {
	required, optional []string     // names of the fields
	kind               streams.Kind // kind of the entry to append; empty if the frame appends none
}

var frameTypes = map[string]frameType{
	"send":   {required: []string{"room", "key", "text"}, optional: []string{"reply_to"}, kind: streams.Message},
	"edit":   {required: []string{"room", "key", "of", "text"}, kind: streams.Edit},
	"delete": {required: []string{"room", "key", "of"}, kind: streams.Delete},
	"react":  {required: []string{"room", "key", "of", "emoji", "on"}, kind: streams.React},
	"topic":  {required: []string{"room", "key", "text"}, kind: streams.Topic},

	"follow":   {required: []string{"room"}, optional: []string{"after", "last", "html", "deflate", "watch"}},
	"unfollow": {required: []string{"room"}},
	"typing":   {required: []string{"room"}},
	"read":     {required: []string{"room", "id"}},
	"ping":     {},
}

// appendKindFields appends the JSON fields that are specific to the entry's kind. AppendEntry appends
// "of" and the fields that all kinds share.
func appendKindFields(dst []byte, entry *streams.Entry, render Render) []byte {
	switch entry.Kind {
	case streams.Message:
		return appendMessage(dst, entry, render)
	case streams.Edit:
		return appendHTML(appendMentions(appendField(dst, "text", entry.Text), entry), entry, render)
	case streams.Topic:
		return appendField(dst, "text", entry.Text)
	case streams.React:
		dst = appendField(dst, "emoji", entry.Emoji)
		dst = append(dst, `,"on":`...)
		return strconv.AppendBool(dst, entry.On)
	}
	return dst
}

// AppendLine appends an entry as a line of plain text. It appends nothing for kinds that are of little
// use in a terminal.
func AppendLine(dst []byte, entry *streams.Entry) []byte {
	clock, name, text := entry.ID.Time().UTC().Format("15:04"), printable(entry.User.Name), printable(entry.Text)
	switch entry.Kind {
	case streams.Message:
		return fmt.Appendf(dst, "%s %s: %s\n", clock, name, text)
	case streams.Edit:
		return fmt.Appendf(dst, "%s %s edited a message: %s\n", clock, name, text)
	case streams.Delete:
		return fmt.Appendf(dst, "%s %s deleted a message\n", clock, name)
	}
	return dst
}

// printable replaces characters that could control a terminal, and drops those that could reorder the
// rest of the line. It indents all lines after the first, so that none of them looks like another
// message.
func printable(text string) string {
	text = strings.ReplaceAll(text, "\n", "\n      ")
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		case unicode.IsControl(r) && r != '\n' && r != '\t':
			return '\uFFFD'
		}
		return r
	}, text)
}
