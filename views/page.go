package views

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Page holds the data that every page needs. Home, Room and Error embed it.
type Page struct {
	Title      string // the page's title, without " · Burble"; may be empty
	User       *User  // the page's user; nil if the visitor is not signed in
	HasAccount bool   // whether User has an account
	Folded     string // the name of User, folded in the same way as names in mentions
	Static     string // the path of static files, from StaticPath
	Theme      string // "light" or "dark"; empty to follow the system

	Host    string // Host header of the request, which the script compares with the page's address
	Origins string // other origins whose pages may connect, separated by spaces

	Preview   *Preview // describes the page to other sites; nil for no preview
	IsIndexed bool     // whether search engines may list the page

	NameLimit  int    // maximum length of a user's name, in characters
	NameInput  string // the name that was refused or lost, to refill the form
	NameNotice string // why the browser lost the name; empty if it did not
}

// Preview describes a page to other sites, such as chats that show links with a title and a picture.
type Preview struct {
	Title, Description string
	URL, Image         string // with scheme and host
}

// Home is the model of the template "home".
type Home struct {
	Page
	Rooms     []RoomLink // in the order to show
	Error     string     // the reason why a form was refused, or empty
	RoomInput string     // the refused room name, to refill the form

	People     []User // people to whom the page's user may send direct messages
	TitleLimit int    // maximum length of a room's title, in characters
}

// Blank returns an empty row. The script clones its markup for new rooms.
func (h Home) Blank() RoomLink { return RoomLink{} }

// RoomLink is a row in the list of rooms.
type RoomLink struct {
	Name       string
	Title      string    // of a private or direct room, shown instead of the name; otherwise empty
	Topic      string    // may be empty
	LastActive time.Time // time of the last entry; zero if there is none
	Last       string    // ID of the last entry, after which the script watches the room
	Read       string    // entry ID up to which the page's user has read the room; empty if they have never visited it
	Unread     int       // messages of other users after Read
	Mentions   int       // number of unread messages that mention the page's user
	Present    int       // number of users in the room
	Current    bool      // whether the page shows this room
}

// ISO returns LastActive in the format of a datetime attribute.
func (r RoomLink) ISO() string { return isoUTC(r.LastActive) }

// LastActiveText returns LastActive as text, or "" if it is zero.
func (r RoomLink) LastActiveText() string {
	return formatUTC(r.LastActive, "2 January 2006, 15:04 UTC")
}

// Room is the model of the template "room".
type Room struct {
	Page
	Room      string     // the room's name
	RoomTitle string     // of a private or direct room, shown instead of the name; otherwise empty
	Archived  bool       // whether nobody may post
	Locked    bool       // whether only moderators may post
	Muted     time.Time  // when the page's user may post again; may be in the past
	Topic     string     // may be empty
	Rooms     []RoomLink // including this one, in the order to show
	Unread    int        // number of unread messages
	ReadUpTo  string     // entry ID after which to show the "New" line; empty for no line
	Messages  []Message  // oldest first, with edits, deletions and reactions applied
	Changes   []Change   // of the room and its members, oldest first
	AsOf      string     // cursor up to which Messages are current; the script follows from it
	Live      bool       // whether Messages include the room's newest message
	Older     string     // entry ID for ?before=; empty if there are no older messages
	Trimmed   bool       // whether Older is empty because older messages are no longer kept
	Newer     string     // entry ID for ?after=; empty if there are no newer messages
	Highlight string     // entry ID of the permalink's target, or empty
	TextLimit int        // maximum length of a message, in characters
	// FileLimits is a JSON object with the maximum sizes "picture" and "file", in bytes, and "count" of the files of a
	// message. It is empty if the server accepts no files.
	FileLimits string
	Previews   string // "on" if the page requests link previews, "ask" if it offers them, or empty
	Notice     string // text to show above the composer, such as the reason why a form was refused
	Draft      string // the refused message, to refill the composer
	Origin     string // such as "https://chat.example.com", for the terminal commands
}

// RefusalText returns why the room refuses messages, or "".
func (r Room) RefusalText() string {
	switch {
	case r.Archived:
		return "This room is archived. Nobody may post."
	case r.Muted.Year() > time.Now().Year()+50:
		return "You are muted in this room."
	case r.Muted.After(time.Now()):
		return "You are muted in this room until " + formatUTC(r.Muted, "2 January 2006, 15:04 UTC") + "."
	case r.Locked:
		return "This room is locked. Only moderators may post."
	}
	return ""
}

// Rows returns a copy of Messages in which the fields that depend on the page, or on neighboring messages, are set.
func (r Room) Rows() []Message {
	rows := make([]Message, len(r.Messages))
	authors := r.Authors()
	copy(rows, r.Messages)
	for i := range rows {
		rows[i].Room = r.Room
		rows[i].AuthorIndex = slices.Index(authors, rows[i].User.ID)
		rows[i].Mine = r.User != nil && rows[i].User.ID == r.User.ID
		rows[i].Highlighted = r.Highlight != "" && rows[i].ID == r.Highlight
		rows[i].FirstUnread = r.ReadUpTo != "" && isAfter(rows[i].ID, r.ReadUpTo) &&
			(i == 0 && r.Beginning() || i > 0 && !isAfter(rows[i-1].ID, r.ReadUpTo))
	}
	Arrange(rows)
	changes := r.Changes
	for i := range rows {
		for len(changes) > 0 && isAfter(rows[i].ID, changes[0].ID) {
			rows[i].Changes, changes = append(rows[i].Changes, changes[0]), changes[1:]
		}
	}
	return rows
}

// Authors returns the IDs of the users who wrote Messages, each once.
func (r Room) Authors() (ids []string) {
	for _, message := range r.Messages {
		if id := message.User.ID; id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Change is a change of a room or of its members, which is shown as a line between the messages.
type Change struct {
	ID   string // entry ID
	Text string
}

// LastChanges returns the changes after the last message in Messages.
func (r Room) LastChanges() (last []Change) {
	for _, change := range r.Changes {
		if count := len(r.Messages); count == 0 || isAfter(change.ID, r.Messages[count-1].ID) {
			last = append(last, change)
		}
	}
	return last
}

// isAfter reports whether the entry id is newer than the entry other.
func isAfter(id, other string) bool {
	millis, seq, _ := strings.Cut(id, "-")
	otherMillis, otherSeq, _ := strings.Cut(other, "-")
	// IDs have no leading zeros, so a number with more digits is greater.
	return cmp.Or(cmp.Compare(len(millis), len(otherMillis)), cmp.Compare(millis, otherMillis),
		cmp.Compare(len(seq), len(otherSeq)), cmp.Compare(seq, otherSeq)) > 0
}

// BlankLink returns an empty row of the list of rooms, like Home.Blank.
func (r Room) BlankLink() RoomLink { return RoomLink{} }

// Blank returns an empty message. The script clones its markup for new messages.
func (r Room) Blank() Message { return Message{Room: r.Room, isBlank: true} }

// Beginning reports whether Messages start at the beginning of the room's history.
func (r Room) Beginning() bool {
	return r.Older == "" && !r.Trimmed
}

// Members is the model of the template "members".
type Members struct {
	Page
	Room      string // name of the room
	Kind      string // "public", "private" or "direct"
	RoomTitle string
	Archived  bool
	Locked    bool
	Rows      []MemberRow
	Total     int    // number of members, some of whom may not be in Rows
	People    []User // people who may be added
	Notice    string // the reason why a form was refused, or empty

	TitleLimit, ReasonLimit int // maximum lengths, in characters

	// What the page's user may do.
	MayModerate, MayInvite, MayPromote, MayErase, MayDelete, MayLeave bool

	IsModerator bool // whether the page's user moderates the room
	IsLast      bool // whether the room has no other moderator
}

// MemberRow is a row in the list of members.
type MemberRow struct {
	User        User
	IsModerator bool
	MutedUntil  time.Time // zero if the member is not muted
	Mine        bool      // whether the member is the page's user

	MayRemove, MayMute bool // what the page's user may do
}

// MutedText returns MutedUntil as text.
func (r MemberRow) MutedText() string {
	if r.MutedUntil.Year() > time.Now().Year()+50 {
		return "Muted"
	}
	return "Muted until " + formatUTC(r.MutedUntil, "2 January 2006, 15:04 UTC")
}

// Error is the model of the template "error".
type Error struct {
	Page            // Title describes what happened
	Detail   string // what the user can do about it; may be empty
	CanRetry bool   // whether to show a link to the same address
	Unsent   string // text of a message that was not, or may not have been, stored; may be empty
	Room     string // room of that message
	Key      string // idempotency key for a retry; empty if it is certain that the message was not stored
}
