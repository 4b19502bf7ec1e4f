package views

import (
	"hash/fnv"
	"html/template"
	"strings"
	"time"
	"unicode"
)

// groupWithin is how soon a message must follow another one of the same author to be
// shown without a heading. rows.js has the same rule.
const groupWithin = 5 * time.Minute

// hues is the number of avatar colours. avatar.js and base.css use the same number.
const hues = 12

// User is a person as shown.
type User struct {
	ID, Name string
}

// Hue returns the avatar colour of the user, from 0 to 11. It depends on the ID alone, and
// avatar.js computes the same.
func (u User) Hue() int {
	sum := fnv.New32a()
	sum.Write([]byte(u.ID))
	return int(sum.Sum32() % hues)
}

// Initial returns the text of the user's avatar: the first letter or digit of the name,
// else its first character, else "?".
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

// Message is a message with its edits, deletion and reactions applied.
type Message struct {
	ID          string // entry ID
	Key         string // key it was sent under
	N           int64  // its number in the room
	User        User
	HTML        template.HTML // rendered and sanitised text; empty if Deleted or Unreadable
	Time        time.Time     // from the entry ID
	ReplyTo     string        // entry ID of the message it replies to, or empty
	ReplyAuthor string        // author of that message; empty if unknown
	ReplyText   string        // first line of that message, as plain text
	Edited      string        // entry ID of the last edit, or empty
	Deleted     bool
	Unreadable  bool // the entry cannot be read; only ID, N and Time are set
	Reactions   []Reaction

	// Set by Room.Rows.
	Room        string
	Mine        bool   // written by the page's user
	Highlighted bool   // target of a permalink
	Continued   bool   // shown without a heading
	FirstUnread bool   // the first unread message
	Day         string // on the first message of a UTC day, the date as text

	isBlank bool
}

// Reaction is one emoji below a message and the users who reacted with it.
type Reaction struct {
	Emoji string
	Users []string // user IDs
	Names []string // of some of Users, for the title
	Mine  bool     // whether the page's user is one of Users
}

// Count returns the number of users who reacted.
func (r Reaction) Count() int { return len(r.Users) }

// By returns the user IDs, separated by spaces, for the script.
func (r Reaction) UserIDs() string { return strings.Join(r.Users, " ") }

// Who returns the known names as text, or "" if there are none.
func (r Reaction) NameList() string {
	who := strings.Join(r.Names, ", ")
	if who != "" && len(r.Names) < len(r.Users) {
		who += " …"
	}
	return who
}

// Arrange sets Day and Continued of every message from the message before it. Messages must be
// oldest first. Days are in UTC; the script changes them to the reader's time zone.
func Arrange(messages []Message) {
	for i := range messages {
		message := &messages[i]
		message.Day, message.Continued = "", false
		if i == 0 {
			message.Day = day(message.Time)
			continue
		}
		previous := messages[i-1]
		if day(previous.Time) != day(message.Time) {
			message.Day = day(message.Time)
			continue
		}
		message.Continued = message.isContinuationOf(previous)
	}
}

// continues reports whether a message needs no heading after another one of the same day.
func (m Message) isContinuationOf(previous Message) bool {
	return !m.FirstUnread && !m.Unreadable && !previous.Unreadable && m.ReplyTo == "" && m.User.ID == previous.User.ID &&
		m.User.Name == previous.User.Name && m.Time.Sub(previous.Time) < groupWithin
}

func day(t time.Time) string { return t.UTC().Format("Monday, 2 January 2006") }

// Stored reports whether this is a message of the room, and not the empty one of Room.Blank.
func (m Message) Stored() bool { return !m.isBlank }

// Clock returns the time of day in UTC.
func (m Message) TimeOfDay() string { return format(m.Time, "15:04") }

// ISO returns the time for a datetime attribute.
func (m Message) ISO() string { return format(m.Time, "2006-01-02T15:04:05Z") }

// format returns t in UTC, or "" for the zero time.
func format(t time.Time, layout string) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(layout)
}
