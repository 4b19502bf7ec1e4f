package plaintext

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"burble/app/filetype"
	"burble/app/protocol"
	"burble/streams"
)

// AppendEntry appends a line for an entry of the room, and one for each of its files. It appends nothing for kinds
// that are of little use in a terminal.
func AppendEntry(dst []byte, room string, entry *streams.Entry) []byte {
	clock, name, text := entry.ID.Time().UTC().Format("15:04"), printable(entry.User.Name), printable(entry.Text)
	switch entry.Kind {
	case streams.Message:
		if len(entry.Files) > 0 {
			text = printable(withFiles(room, entry))
		}
		return fmt.Appendf(dst, "%s %s: %s\n", clock, name, text)
	case streams.Edit:
		return fmt.Appendf(dst, "%s %s edited a message: %s\n", clock, name, text)
	case streams.Delete:
		return fmt.Appendf(dst, "%s %s deleted a message\n", clock, name)
	case streams.MemberChanged, streams.SettingsChanged:
		return fmt.Appendf(dst, "%s %s\n", clock, Change(entry))
	case streams.Audit:
		return fmt.Appendf(dst, "%s %s %s\n", clock, name, printable(Audit(entry)))
	}
	return dst
}

// withFiles returns the text of a message, and a line for each of its files.
func withFiles(room string, entry *streams.Entry) string {
	var lines []string
	if entry.Text != "" {
		lines = append(lines, entry.Text)
	}
	for i := range entry.Files {
		file := &entry.Files[i]
		lines = append(lines, fmt.Sprintf("%s (%s, %s) %s", file.Name, file.Type, filetype.FormatSize(file.Size), protocol.FileURL(room, entry.ID, i)))
	}
	return strings.Join(lines, "\n")
}

// Change describes an entry of kind MemberChanged or SettingsChanged in one line.
func Change(entry *streams.Entry) string {
	name := printable(entry.User.Name)
	if entry.Kind == streams.SettingsChanged && entry.Number == 1 {
		return name + createdLine(entry.Settings.Title)
	}
	if entry.Kind == streams.SettingsChanged {
		return name + " changed the settings of the room: " + settingsLine(entry.Settings)
	}
	return joinedLine(name, entry)
}

func createdLine(title string) string {
	if title == "" {
		return " created the room"
	}
	return fmt.Sprintf(" created the room %q", printable(title))
}

// joinedLine describes an entry of kind MemberChanged, without its time.
func joinedLine(name string, entry *streams.Entry) string {
	member := printable(entry.Member.Name)
	switch {
	case entry.Role == streams.NoRole && entry.Member.ID == entry.User.ID:
		return name + " left"
	case entry.Role == streams.NoRole:
		return name + " removed " + member
	case entry.Role == streams.RoomModerator && entry.Member.ID == entry.User.ID:
		return name + " became a moderator"
	case entry.Role == streams.RoomModerator:
		return name + " made " + member + " a moderator"
	case entry.MutedUntil.Year() > time.Now().Year()+50: // muted without an end
		return name + " muted " + member
	case !entry.MutedUntil.IsZero():
		return name + " muted " + member + " until " + entry.MutedUntil.UTC().Format("2006-01-02 15:04 UTC")
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
