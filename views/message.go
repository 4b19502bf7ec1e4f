package views

import (
	"hash/fnv"
	"html/template"
	"strings"
	"time"
	"unicode"
)

// continuedWithin is how soon a message must follow another of the same author
// to be shown under the same heading. grouping.js has the same rule.
const continuedWithin = 5 * time.Minute

// hues is how many colours avatars come in. avatar.js and message.css agree.
const hues = 12

// User is a person as shown.
type User struct {
	ID, Name string
}

// Hue returns which of the avatar colours is the user's: the same one for one
// ID on every page and in the script (avatar.js).
func (u User) Hue() int {
	sum := fnv.New32a()
	sum.Write([]byte(u.ID))
	return int(sum.Sum32() % hues)
}

// Initial returns the letter in the user's avatar: the first letter or digit
// of the name, else its first character.
func (u User) Initial() string {
	name := strings.TrimSpace(u.Name)
	for _, char := range name {
		if unicode.IsLetter(char) || unicode.IsDigit(char) {
			return strings.ToUpper(string(char))
		}
	}
	for _, char := range name {
		return string(char)
	}
	return "?"
}

// Message is one message as it is now.
type Message struct {
	ID          string // entry ID
	Key         string // the key it was sent under
	N           int64  // its number in the room
	User        User
	HTML        template.HTML // the text rendered and sanitised; empty when Deleted or Unreadable
	Time        time.Time     // of the entry ID
	ReplyTo     string        // entry ID of what it answers; empty for none
	ReplyAuthor string        // who wrote that; empty when it is not known
	ReplyText   string        // its first line as plain text
	Edited      string        // entry ID of the last edit; empty for none
	Deleted     bool
	Unreadable  bool // an entry that could not be read: only ID, N and Time are set
	Reactions   []Reaction

	// Set by Room.Rows.
	Room        string // the room it is in
	Mine        bool   // the one who looks wrote it
	Highlighted bool   // a permalink named it
	Continued   bool   // shown under the heading of the message before
	New         bool   // the first that was not read when the room was opened
	Day         string // on the first message of a UTC day: that day, for people

	blank bool
}

// Reaction is one emoji under a message, with who chose it.
type Reaction struct {
	Emoji string
	Users []string // user IDs
	Names []string // for the title; may be shorter than Users
	Mine  bool     // whether the one who looks is among Users
}

// Count returns how many people chose the emoji.
func (r Reaction) Count() int { return len(r.Users) }

// By returns the user IDs as the script reads them.
func (r Reaction) By() string { return strings.Join(r.Users, " ") }

// Who returns the names for people, or nothing when none is known.
func (r Reaction) Who() string {
	who := strings.Join(r.Names, ", ")
	if who != "" && len(r.Names) < len(r.Users) {
		who += " …"
	}
	return who
}

// Arrange sets Day and Continued of every message from its neighbours. Messages
// are oldest first; days are those of UTC, which the script changes to the
// reader's.
func Arrange(messages []Message) {
	for i := range messages {
		message := &messages[i]
		message.Day, message.Continued = "", false
		if i == 0 {
			message.Day = day(message.Time)
			continue
		}
		before := messages[i-1]
		if day(before.Time) != day(message.Time) {
			message.Day = day(message.Time)
			continue
		}
		message.Continued = message.continues(before)
	}
}

// continues reports whether the message may go without a heading after one of
// the same day.
func (m Message) continues(before Message) bool {
	return !m.New && !m.Unreadable && !before.Unreadable && m.ReplyTo == "" && m.User.ID == before.User.ID &&
		m.User.Name == before.User.Name && m.Time.Sub(before.Time) < continuedWithin
}

func day(t time.Time) string { return t.UTC().Format("Monday, 2 January 2006") }

// Stored reports whether the message has a place in the room.
func (m Message) Stored() bool { return !m.blank }

// Clock returns the time of day, in UTC.
func (m Message) Clock() string { return stamp(m.Time, "15:04") }

// ISO returns the time as a datetime attribute has it.
func (m Message) ISO() string { return stamp(m.Time, "2006-01-02T15:04:05Z") }

// ISO returns the time of the room's last entry as a datetime attribute has it.
func (r RoomLink) ISO() string { return stamp(r.LastActive, "2006-01-02T15:04:05Z") }

// Moment returns the time of the room's last entry, for people; empty for none.
func (r RoomLink) Moment() string { return stamp(r.LastActive, "2 January 2006, 15:04 UTC") }

func stamp(t time.Time, layout string) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(layout)
}
