package protocol

import (
	"fmt"
	"strconv"
	"strings"

	"burble/streams"
)

// This file has everything about the kinds of entries in the protocol: the frame that appends one,
// its fields as JSON, and its line of plain text. A field that is new to all kinds also needs a
// case in Frame.setField or Frame.setText. ARCHITECTURE.md lists the files of other packages
// that a new kind touches.

// frameType is a type of frame that clients send.
type frameType struct {
	must, may []string     // the names of its fields
	kind      streams.Kind // of the entry that it appends; empty: it appends none
}

var frameTypes = map[string]frameType{
	"send":   {must: []string{"room", "key", "text"}, may: []string{"reply_to"}, kind: streams.Message},
	"edit":   {must: []string{"room", "key", "of", "text"}, kind: streams.Edit},
	"delete": {must: []string{"room", "key", "of"}, kind: streams.Delete},
	"react":  {must: []string{"room", "key", "of", "emoji", "on"}, kind: streams.React},
	"topic":  {must: []string{"room", "key", "text"}, kind: streams.Topic},

	"follow":   {must: []string{"room"}, may: []string{"after", "last", "html", "deflate", "watch"}},
	"unfollow": {must: []string{"room"}},
	"typing":   {must: []string{"room"}},
	"read":     {must: []string{"room", "id"}},
	"ping":     {},
}

// appendKindFields appends the JSON fields that only this kind of entry has. AppendEntry has
// already appended "of" and the fields that all kinds have.
func appendKindFields(dst []byte, entry *streams.Entry, html bool) []byte {
	switch entry.Kind {
	case streams.Message:
		return appendMessage(dst, entry, html)
	case streams.Edit:
		return appendHTML(appendField(dst, "text", entry.Text), entry, html)
	case streams.Topic:
		return appendField(dst, "text", entry.Text)
	case streams.React:
		dst = appendField(dst, "emoji", entry.Emoji)
		dst = append(dst, `,"on":`...)
		return strconv.AppendBool(dst, entry.On)
	}
	return dst
}

// AppendLine appends an entry as a line of plain text. It appends nothing for kinds that mean
// little in a terminal.
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

// printable keeps text from controlling the terminal that shows it. The lines of a longer
// message are indented, so that none can pass for another message.
func printable(text string) string {
	text = strings.ReplaceAll(text, "\n", "\n      ")
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, text)
}
