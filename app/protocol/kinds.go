package protocol

import (
	"fmt"
	"strconv"
	"strings"
	"time"
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
	case streams.Joined:
		return appendJoined(dst, entry)
	case streams.Changed:
		return appendSettings(dst, entry.Settings)
	case streams.Audit:
		return appendAudit(dst, entry)
	}
	return dst
}

func appendJoined(dst []byte, entry *streams.Entry) []byte {
	dst = appendUser(append(dst, `,"member":`...), entry.Member)
	dst = appendField(dst, "role", string(entry.Role))
	if !entry.MutedUntil.IsZero() {
		dst = appendField(dst, "muted_until", entry.MutedUntil.UTC().Format(time.RFC3339))
	}
	if entry.Reason != "" {
		dst = appendField(dst, "reason", entry.Reason)
	}
	return dst
}

func appendSettings(dst []byte, settings streams.Settings) []byte {
	dst = append(appendField(dst, "title", settings.Title), `,"archived":`...)
	dst = append(strconv.AppendBool(dst, settings.Archived), `,"locked":`...)
	return strconv.AppendBool(dst, settings.Locked)
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
	case streams.Joined, streams.Changed:
		return fmt.Appendf(dst, "%s %s\n", clock, ChangeText(entry))
	case streams.Audit:
		return fmt.Appendf(dst, "%s %s %s\n", clock, name, printable(AuditText(entry)))
	}
	return dst
}

// ChangeText describes an entry of kind Joined or Changed in one line.
func ChangeText(entry *streams.Entry) string {
	name := printable(entry.User.Name)
	if entry.Kind == streams.Changed {
		return name + " changed the settings of the room: " + settingsLine(entry.Settings)
	}
	return joinedLine(name, entry)
}

// joinedLine describes an entry of kind Joined, without its time.
func joinedLine(name string, entry *streams.Entry) string {
	member := printable(entry.Member.Name)
	switch {
	case entry.Role == streams.NoRole && entry.Member.ID == entry.User.ID:
		return name + " left"
	case entry.Role == streams.NoRole:
		return name + " removed " + member
	case entry.Role == streams.RoomModerator:
		return name + " made " + member + " a moderator"
	case !entry.MutedUntil.IsZero():
		return name + " muted " + member + " until " + entry.MutedUntil.UTC().Format("2006-01-02 15:04")
	case entry.Member.ID == entry.User.ID:
		return name + " joined"
	}
	return name + " added " + member
}

// settingsLine describes the settings of a room.
func settingsLine(settings streams.Settings) string {
	words := []string{"open"}
	switch {
	case settings.Archived:
		words[0] = "archived"
	case settings.Locked:
		words[0] = "locked"
	}
	if settings.Title != "" {
		words = append(words, fmt.Sprintf("titled %q", printable(settings.Title)))
	}
	return strings.Join(words, ", ")
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
