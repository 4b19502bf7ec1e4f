package views

import (
	"hash/fnv"
	"html/template"
	"strings"
	"time"
	"unicode"
)

// groupInterval is how soon a message must follow one by the same author to be shown without a heading.
// It is the same in rows.js.
const groupInterval = 5 * time.Minute

// hues is the number of avatar colors. It is the same in names.js and base.css.
const hues = 12

// User is a user shown on a page.
type User struct {
	ID, Name string
}

// Hue returns the avatar color of the user, from 0 to 11. It depends only on the ID.
// names.js computes the same value.
func (u User) Hue() int {
	sum := fnv.New32a()
	sum.Write([]byte(u.ID))
	return int(sum.Sum32() % hues)
}

// Tag returns the first four characters of the ID. Pages that grant rights show it after each name, because two people
// may have the same name. Messages show a tag only after names that look alike; names.js computes that tag, which is
// also a prefix of the ID.
func (u User) Tag() string { return u.ID[:min(len(u.ID), 4)] }

// Initial returns the text of the user's avatar: the first letter or digit of the name, or else its
// first character, or "?" for an empty name.
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
	Key         string // idempotency key
	Number      int64  // position of the entry in the room, from 1
	User        User
	HTML        template.HTML // rendered and sanitized text; empty if Deleted or Unreadable
	Time        time.Time     // from the entry ID
	ReplyTo     string        // entry ID of the message this one replies to, or empty
	ReplyAuthor string        // name of the author of ReplyTo; empty if unknown
	ReplyText   string        // first line of ReplyTo, as plain text
	Files       []File
	Card        *Card  // of a page that the message links to, or nil
	LastEdit    string // entry ID of the last edit, or empty
	Deleted     bool
	Unreadable  bool // the entry cannot be read; only ID, Number and Time are set
	Reactions   []Reaction

	// Set by Room.Rows.
	Room        string
	AuthorIndex int  // index of User.ID in Room.Authors
	Mine        bool // sent by the page's user
	Highlighted bool // the target of a permalink
	Continued   bool // shown without a heading
	FirstUnread bool
	Changes     []Change // between the previous message and this one
	Day         string   // date to show above the first message of a UTC day, otherwise empty

	isBlank bool // set by Room.Blank
}

// noTranslate stops browsers from translating code, and the name in a "/me" message. message.js does
// the same.
var noTranslate = strings.NewReplacer("<code", `<code translate="no"`, "<bdi", `<bdi translate="no"`)

// Body returns HTML with code and names marked as not to be translated.
func (m Message) Body() template.HTML { return template.HTML(noTranslate.Replace(string(m.HTML))) }

// Reaction is one emoji below a message and the users who reacted with it.
type Reaction struct {
	Emoji     string
	Users     []string // user IDs
	MoreUsers int      // number of users beyond those in Users
	Names     []string // names of some users
	Mine      bool     // whether the page's user reacted
}

// Count returns the number of users who reacted.
func (r Reaction) Count() int { return len(r.Users) + r.MoreUsers }

// UserIDs returns the IDs of Users, separated by spaces.
func (r Reaction) UserIDs() string { return strings.Join(r.Users, " ") }

// NameList joins Names, and adds an ellipsis if more users reacted. It returns "" if there are no
// names.
func (r Reaction) NameList() string {
	list := strings.Join(r.Names, ", ")
	if list != "" && len(r.Names) < r.Count() {
		list += " …"
	}
	return list
}

// Arrange sets Day and Continued of each message. The messages must be sorted, oldest first. The page's
// script converts days from UTC to the user's time zone.
func Arrange(messages []Message) {
	for i := range messages {
		message := &messages[i]
		message.Day, message.Continued = "", false
		if i == 0 {
			message.Day = formatDay(message.Time)
			continue
		}
		previous := messages[i-1]
		if formatDay(previous.Time) != formatDay(message.Time) {
			message.Day = formatDay(message.Time)
			continue
		}
		message.Continued = message.isContinuationOf(previous)
	}
}

// isContinuationOf reports whether the message needs no heading after the previous one, which was sent on
// the same day.
func (m Message) isContinuationOf(previous Message) bool {
	return !m.FirstUnread && !m.Unreadable && !previous.Unreadable && m.ReplyTo == "" && m.User.ID == previous.User.ID &&
		m.User.Name == previous.User.Name && m.Time.Sub(previous.Time) < groupInterval
}

func formatDay(t time.Time) string { return t.UTC().Format("Monday, 2 January 2006") }

// Stored reports whether this is a message of the room and not the result of Room.Blank.
func (m Message) Stored() bool { return !m.isBlank }

// TimeOfDay returns the time of day in UTC. The page's script converts it to the user's time zone.
func (m Message) TimeOfDay() string { return formatUTC(m.Time, "15:04 UTC") }

// ISO returns the time in the format of a datetime attribute.
func (m Message) ISO() string { return isoUTC(m.Time) }

// isoUTC formats t for a datetime attribute. The zero time becomes 1970, because the attribute must not
// be empty.
func isoUTC(t time.Time) string {
	if t.IsZero() {
		t = time.Unix(0, 0)
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// formatUTC formats t in UTC. It returns "" for the zero time.
func formatUTC(t time.Time, layout string) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(layout)
}
