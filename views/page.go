package views

import "time"

// Page is what every page needs. Home, Room and Error embed it.
type Page struct {
	Title  string // before the product's name in the title; may be empty
	User   *User  // who is looking; nil before a name was given
	Static string // where static files are: StaticPath
}

// Home is the model of the template "home".
type Home struct {
	Page
	Rooms []RoomLink // in the order to show
	Error string     // why a form was refused; empty when none was
}

// RoomLink is one room in the list of rooms.
type RoomLink struct {
	Name       string
	LastActive time.Time // time of its last entry; zero when it has none
}

// Room is the model of the template "room".
type Room struct {
	Page
	Room      string    // the room's name
	Messages  []Message // oldest first, folded
	AsOf      string    // the cursor the messages are as of; the script follows from it
	Live      bool      // whether the messages reach up to AsOf; false on an older place
	Older     string    // entry ID for ?before=; empty when nothing older is kept
	Newer     string    // entry ID for ?after=; empty when nothing newer is there
	Highlight string    // entry ID of the message a permalink named; empty for none
	TextLimit int       // most characters a message may have
	Notice    string    // something to tell, for instance why a form was refused
	Draft     string    // text given back after a refused form
	Origin    string    // "https://host", for the lines to use in a terminal
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
	}
	Arrange(rows)
	return rows
}

// Blank returns a message that has every part, empty. The script clones it for
// each message that arrives later, so there is one markup for both.
func (r Room) Blank() Message { return Message{Room: r.Room, blank: true} }

// Beginning reports whether the first message shown is the room's first entry.
func (r Room) Beginning() bool {
	return r.Older == "" && (len(r.Messages) == 0 || r.Messages[0].N == 1)
}

// Error is the model of the template "error".
type Error struct {
	Page
	Status  int    // the HTTP status
	Heading string // what happened, in a few words
	Detail  string // what to do about it; may be empty
}
