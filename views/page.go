package views

import (
	"cmp"
	"strings"
	"time"
)

// Page holds what every page needs. Home, Room and Error embed it.
type Page struct {
	Title  string // before the product's name in the browser's title; may be empty
	User   *User  // the page's user; nil if nobody is signed in
	Static string // where static files are: StaticPath()
	Theme  string // "light" or "dark"; empty to follow the system

	NameLimit int    // maximum length of a user's name, in characters
	NameInput string // what the user typed, to refill the form after a refused name
}

// Home is the model of the template "home".
type Home struct {
	Page
	Rooms     []RoomLink // in the order to show
	Error     string     // why a form was refused, or empty
	RoomInput string     // what the user typed, to refill the form after a refused room name
}

// Blank returns an empty row, which the script clones for rooms that appear later.
func (h Home) Blank() RoomLink { return RoomLink{} }

// RoomLink is a row in the list of rooms.
type RoomLink struct {
	Name       string
	Topic      string    // may be empty
	LastActive time.Time // time of the last entry; zero if there is none
	Last       string    // ID of that entry, from which the script continues to count
	Read       string    // entry ID up to which the page's user has read the room; empty if they were never in it
	Unread     int       // messages of others after Read
	Mentions   int       // how many of them mention the page's user
	Present    int       // users in the room now
	Current    bool      // whether it is the page's room
}

// ISO returns the time of the last entry for a datetime attribute.
func (r RoomLink) ISO() string { return format(r.LastActive, "2006-01-02T15:04:05Z") }

// Moment returns the time of the last entry as text, or "" if there is none.
func (r RoomLink) LastActiveText() string { return format(r.LastActive, "2 January 2006, 15:04 UTC") }

// Room is the model of the template "room".
type Room struct {
	Page
	Room      string     // the room's name
	Topic     string     // may be empty
	Rooms     []RoomLink // all rooms, this one among them, in the order to show
	Unread    int        // messages of others that the page's user has not read
	ReadUpTo  string     // entry ID after which the "New" line goes; empty for no line
	Messages  []Message  // oldest first, with edits, deletions and reactions applied
	AsOf      string     // cursor the messages are current as of; the script follows from it
	Live      bool       // whether Messages reach the room's end
	Older     string     // entry ID for ?before=; empty if no older messages are kept
	Newer     string     // entry ID for ?after=; empty if there are no newer messages
	Highlight string     // entry ID of the permalink's target, or empty
	TextLimit int        // maximum length of a message, in characters
	Notice    string     // shown above the composer, such as why a form was refused
	Draft     string     // what the user typed, to refill the composer after a refused message
	Origin    string     // "https://host", for the terminal commands
}

// Rows returns a copy of Messages with everything set that depends on the room or on
// neighbours.
func (r Room) Rows() []Message {
	rows := make([]Message, len(r.Messages))
	copy(rows, r.Messages)
	for i := range rows {
		rows[i].Room = r.Room
		rows[i].Mine = r.User != nil && rows[i].User.ID == r.User.ID
		rows[i].Highlighted = r.Highlight != "" && rows[i].ID == r.Highlight
		rows[i].FirstUnread = r.ReadUpTo != "" && isAfter(rows[i].ID, r.ReadUpTo) &&
			(i == 0 && r.Beginning() || i > 0 && !isAfter(rows[i-1].ID, r.ReadUpTo))
	}
	Arrange(rows)
	return rows
}

// isAfter reports whether an entry ID is newer than another one.
func isAfter(id, other string) bool {
	millis, seq, _ := strings.Cut(id, "-")
	otherMillis, otherSeq, _ := strings.Cut(other, "-")
	// There are no leading zeros, so the longer number is the greater one.
	return cmp.Or(cmp.Compare(len(millis), len(otherMillis)), cmp.Compare(millis, otherMillis),
		cmp.Compare(len(seq), len(otherSeq)), cmp.Compare(seq, otherSeq)) > 0
}

// BlankLink returns an empty row of the list of rooms, like Home.Blank.
func (r Room) BlankLink() RoomLink { return RoomLink{} }

// Blank returns a message with all its parts empty. The script clones it for messages that
// arrive later, so both have the same markup.
func (r Room) Blank() Message { return Message{Room: r.Room, isBlank: true} }

// Beginning reports whether Messages start with the room's first entry.
func (r Room) Beginning() bool {
	return r.Older == "" && (len(r.Messages) == 0 || r.Messages[0].N == 1)
}

// Error is the model of the template "error".
type Error struct {
	Page            // Title is what happened
	Detail   string // what to do about it; may be empty
	CanRetry bool   // whether to offer the same address again
	Unsent   string // text of the message in the form, or empty
	Room     string // the room of that message
	Key      string // key to send it again under, unchanged; empty if it was certainly not stored
}
