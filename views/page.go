package views

import (
	"cmp"
	"strings"
	"time"
)

// Page is what every page needs. Home, Room and Error embed it.
type Page struct {
	Title  string // before the product's name in the title; may be empty
	User   *User  // who is looking; nil before a name was given
	Static string // where static files are: StaticPath
	Theme  string // "light" or "dark"; empty for the system's

	NameLimit int    // most characters a person's name may have
	Name      string // a name given back after a refused form
}

// Home is the model of the template "home".
type Home struct {
	Page
	Rooms []RoomLink // in the order to show
	Error string     // why a form was refused; empty when none was
	Find  string     // a room's name given back after a refused form
}

// Blank returns the row of no room. The script clones it for each room that
// comes later.
func (h Home) Blank() RoomLink { return RoomLink{} }

// RoomLink is one room in the list of rooms.
type RoomLink struct {
	Name       string
	Topic      string    // what it is about; may be empty
	LastActive time.Time // time of its last entry; zero when it has none
	Last       string    // that entry's ID; the script goes on counting from it
	Read       string    // entry ID up to which the one who looks has read; empty: never here
	Unread     int       // messages of others after Read
	Mentions   int       // those of them that name the one who looks
	Present    int       // people here now
	Current    bool      // it is the page's room
}

// Room is the model of the template "room".
type Room struct {
	Page
	Room      string     // the room's name
	Topic     string     // what it is about; may be empty
	Rooms     []RoomLink // the rooms beside this one, and this one, in the order to show
	Unread    int        // messages of others that the one who looks has not read
	ReadUpTo  string     // entry ID after which the "New" line goes; empty for no such line
	Messages  []Message  // oldest first, folded
	AsOf      string     // the cursor the messages are as of; the script follows from it
	Live      bool       // whether the messages reach up to AsOf; false on an older place
	Older     string     // entry ID for ?before=; empty when nothing older is kept
	Newer     string     // entry ID for ?after=; empty when nothing newer is there
	Highlight string     // entry ID of the message a permalink named; empty for none
	TextLimit int        // most characters a message may have
	Notice    string     // something to tell, for instance why a form was refused
	Draft     string     // text given back after a refused form
	Origin    string     // "https://host", for the lines to use in a terminal
}

// Rows returns the messages arranged for the template: a copy, with
// everything set that depends on the room or on the neighbours.
func (r Room) Rows() []Message {
	rows := make([]Message, len(r.Messages))
	copy(rows, r.Messages)
	for i := range rows {
		rows[i].Room = r.Room
		rows[i].Mine = r.User != nil && rows[i].User.ID == r.User.ID
		rows[i].Highlighted = r.Highlight != "" && rows[i].ID == r.Highlight
		rows[i].New = r.ReadUpTo != "" && isAfter(rows[i].ID, r.ReadUpTo) &&
			(i == 0 && r.Beginning() || i > 0 && !isAfter(rows[i-1].ID, r.ReadUpTo))
	}
	Arrange(rows)
	return rows
}

// isAfter reports whether an entry comes after another.
func isAfter(id, other string) bool {
	millis, seq, _ := strings.Cut(id, "-")
	otherMillis, otherSeq, _ := strings.Cut(other, "-")
	// Numbers without leading zeros: the longer one is the greater.
	return cmp.Or(cmp.Compare(len(millis), len(otherMillis)), cmp.Compare(millis, otherMillis),
		cmp.Compare(len(seq), len(otherSeq)), cmp.Compare(seq, otherSeq)) > 0
}

// BlankLink is as Home.Blank.
func (r Room) BlankLink() RoomLink { return RoomLink{} }

// Blank returns a message that has every part, empty. The script clones it for
// each message that arrives later, so there is one markup for both.
func (r Room) Blank() Message { return Message{Room: r.Room, blank: true} }

// Beginning reports whether the first message shown is the room's first entry.
func (r Room) Beginning() bool {
	return r.Older == "" && (len(r.Messages) == 0 || r.Messages[0].N == 1)
}

// Error is the model of the template "error".
type Error struct {
	Page          // its Title says what happened
	Detail string // what to do about it; may be empty
	Again  bool   // whether to offer the same address again
	Unsent string // the text of a message that a form had; empty for none
	Room   string // the room it was for
	Key    string // the key to send it under again, as it is; empty when it was not stored for sure
}
