package client

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"fmt"
	"io"
)

// Frame is a frame from the server: *Hello, *Followed, *Entries, *Stored, *Signal, *Present, *Status, *Closed,
// *Error or *Pong. A frame from a later release may be *Unknown, which clients ignore.
type Frame interface{ frame() }

// User is a person or a program.
type User struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// FileLimits are the limits of files.
type FileLimits struct {
	Picture int64 `json:"picture"` // maximum bytes of a picture
	File    int64 `json:"file"`    // maximum bytes of any other file
	Count   int   `json:"count"`   // maximum files of a message
}

// Hello is the first frame of a connection.
type Hello struct {
	Protocol   string `json:"protocol"`
	User       *User  `json:"user"`       // nil if the connection has no session and can only read
	Durability string `json:"durability"` // what Stored guarantees: memory, replica or disk
	Limits     struct {
		Text  int         `json:"text"`  // maximum number of characters in a message
		Files *FileLimits `json:"files"` // nil if the server accepts no files
	} `json:"limits"`
	Time int64 `json:"time"` // of the server, in milliseconds since 1970; 0 from older releases
}

// The states of Followed.
const (
	Fresh     = "fresh"     // the follow had no cursor
	Resumed   = "resumed"   // all entries after the cursor come next
	Truncated = "truncated" // some entries after the cursor are no longer kept
	Reset     = "reset"     // the cursor's history is lost: discard the entries you have of the room
)

// Followed answers a Follow, before any entries. The server also sends Truncated and Reset
// unrequested, if Redis trimmed or lost entries that the connection had not read.
type Followed struct {
	Room       string `json:"room"`
	State      string `json:"state"`
	At         string `json:"at"`    // the cursor after which reading begins
	First      string `json:"first"` // only if Truncated: the cursor after which all entries are still kept
	Last       string `json:"last"`  // the cursor of the room's last entry at the time
	LastNumber int64  `json:"n"`     // the number of that entry
}

// Entries is a batch: all entries of a room after the cursor After, up to and including the cursor
// Upto. A client resumes from Upto.
type Entries struct {
	Room    string  `json:"room"`
	After   string  `json:"after"`
	Upto    string  `json:"upto"`
	Entries []Entry `json:"entries"`
}

// Entry is one event of a room. Which fields are set depends on Kind: message, edit,
// delete, react, topic, member, room or unreadable.
type Entry struct {
	ID      string `json:"id"`
	Number  int64  `json:"n"`
	Kind    string `json:"kind"`
	Key     string `json:"key"`
	Target  string `json:"of"` // ID of the message that an edit, delete or react amends
	User    User   `json:"user"`
	Text    string `json:"text"`
	HTML    string `json:"html"` // Text as sanitized HTML, if the client requested it
	ReplyTo string `json:"reply_to"`
	Emoji   string `json:"emoji"`
	On      bool   `json:"on"`     // for react: whether the reaction was added, not removed
	Member  User   `json:"member"` // for member: whose membership changed
	Role    string `json:"role"`   // for member: "member", "moderator" or "none"
	// Mentions are the folded names that Text mentions.
	Mentions []string `json:"mentions"`
	Files    []File   `json:"files"`
	Preview  *Preview `json:"preview"` // of a page that a message links to; nil if there is none

	// Only in pages of history, which contain messages with their amendments applied.
	Edited    string              `json:"edited"`     // ID of the last edit
	Reactions map[string][]string `json:"reactions"`  // user IDs by emoji: up to 50 on a message, and the user's own
	MoreUsers map[string]int      `json:"more_users"` // how many other users reacted, by emoji
	Deleted   bool                `json:"deleted"`

	Cursor string `json:"cursor"` // only in live reads over HTTP
}

// File is a file of a message.
type File struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Type      string `json:"type"` // the media type
	Size      int64  `json:"size"` // in bytes
	Width     int    `json:"width"`
	Height    int    `json:"height"`
	Color     string `json:"color"` // average of a picture, as "#rrggbb"
	Alt       string `json:"alt"`   // describes it for people who cannot see it
	URL       string `json:"url"`   // a path of the server
	Thumbnail string `json:"thumbnail"`
}

// Preview describes a page that a message links to.
type Preview struct {
	URL         string `json:"url"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Site        string `json:"site"`
	Picture     *File  `json:"picture"` // has a URL, a size in pixels and a Color
}

// Stored acknowledges an Append: its entry is stored, at the durability of Hello.
type Stored struct {
	Room   string `json:"room"`
	Key    string `json:"key"`
	ID     string `json:"id"`
	Cursor string `json:"cursor"` // only from Post
}

// Signal is a short-lived event, which a client may miss: typing, came, left or read.
type Signal struct {
	Room string `json:"room"`
	Kind string `json:"kind"`
	User User   `json:"user"`
	ID   string `json:"id"` // for read: the last entry that the user has read
}

// Present lists the users in a room. Users has at most 100 of them, and none if only Count changed.
type Present struct {
	Room  string `json:"room"`
	Count int    `json:"count"`
	Users []User `json:"users"`
}

// Closed reports that the user may no longer read a room or, without a Room, that the session has ended.
type Closed struct {
	Room string
	Code string // "removed", "deleted" or "signed_out"
}

// Status reports that Redis went away or came back.
type Status struct {
	Redis string `json:"redis"` // away or back
}

// Pong answers Ping.
type Pong struct{}

// Unknown is a frame whose type this package does not know.
type Unknown struct {
	Type string
	Text []byte
}

func (*Hello) frame()    {}
func (*Followed) frame() {}
func (*Entries) frame()  {}
func (*Stored) frame()   {}
func (*Signal) frame()   {}
func (*Present) frame()  {}
func (*Status) frame()   {}
func (*Closed) frame()   {}
func (*Error) frame()    {}
func (*Pong) frame()     {}
func (*Unknown) frame()  {}

// Decode decodes the frame in a text message, or in a binary message, which contains compressed text.
func (m RawMessage) Decode() (Frame, error) {
	text, err := m.Text()
	if err != nil {
		return nil, err
	}
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("decode %.200q: %w", text, err)
	}
	return decode(head.Type, text)
}

// Text returns the message's text. It decompresses a binary message (RFC 1950).
func (m RawMessage) Text() ([]byte, error) {
	if m.Op != OpBinary {
		return m.Data, nil
	}
	reader, err := zlib.NewReader(bytes.NewReader(m.Data))
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(reader, frameLimit))
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	return text, nil
}

// decode decodes a frame of the given type.
func decode(kind string, text []byte) (frame Frame, err error) {
	switch kind {
	case "hello":
		frame = new(Hello)
	case "followed":
		frame = new(Followed)
	case "entries":
		frame = new(Entries)
	case "stored":
		frame = new(Stored)
	case "signal":
		frame = new(Signal)
	case "present":
		frame = new(Present)
	case "status":
		frame = new(Status)
	case "closed":
		frame = new(Closed)
	case "error":
		frame = new(Error)
	case "pong":
		frame = new(Pong)
	default:
		return &Unknown{kind, text}, nil
	}
	if err := json.Unmarshal(text, frame); err != nil {
		return nil, fmt.Errorf("decode %s: %w", kind, err)
	}
	return frame, nil
}
