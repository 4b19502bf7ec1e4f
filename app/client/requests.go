package client

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
)

// Request is a frame to the server: Follow, Unfollow, an Append, Typing, MarkRead or Ping.
type Request interface{ kind() string }

// Append is a Request that stores an entry: Message, Edit, Delete, React or Topic. The server replies
// with a Stored or an Error that has its key. The server stores it only once, however often a client
// sends it with the same key, so a client repeats it until the reply is final.
type Append interface {
	Request
	key() string
}

// Follow reads a room: the entries after the cursor After, then every new entry. If After is empty,
// it begins with the newest Last entries, 0 to 500.
type Follow struct {
	Room    string
	After   string // "0-0" is the beginning of the room
	Last    int
	HTML    bool // also request messages as HTML
	Watch   bool // read without being counted as present
	Deflate bool // request compression of long batches
}

// MarshalJSON implements json.Marshaler.
func (f Follow) MarshalJSON() ([]byte, error) {
	fields := struct {
		Room    string `json:"room"`
		After   string `json:"after,omitempty"`
		Last    *int   `json:"last,omitempty"`
		HTML    bool   `json:"html,omitempty"`
		Watch   bool   `json:"watch,omitempty"`
		Deflate bool   `json:"deflate,omitempty"`
	}{f.Room, f.After, &f.Last, f.HTML, f.Watch, f.Deflate}
	if f.After != "" {
		fields.Last = nil
	}
	return json.Marshal(fields)
}

// query returns the follow as the query of a URL.
func (f Follow) query() url.Values {
	values := url.Values{"room": {f.Room}}
	if f.After != "" {
		values.Set("after", f.After)
	} else {
		values.Set("last", strconv.Itoa(f.Last))
	}
	for name, set := range map[string]bool{"html": f.HTML, "watch": f.Watch, "deflate": f.Deflate} {
		if set {
			values.Set(name, "true")
		}
	}
	return values
}

// Unfollow stops reading a room.
type Unfollow struct {
	Room string `json:"room"`
}

// Message stores a message. It needs a Text or Files.
type Message struct {
	Room    string       `json:"room"`
	Key     string       `json:"key"`
	Text    string       `json:"text,omitempty"`
	ReplyTo string       `json:"reply_to,omitempty"`
	Files   []Attachment `json:"files,omitempty"`
}

// Attachment is an upload of the user that a message sends.
type Attachment struct {
	ID  string `json:"id"`
	Alt string `json:"alt,omitempty"` // describes it for people who cannot see it
}

// Edit replaces the text of one of the user's messages.
type Edit struct {
	Room   string `json:"room"`
	Key    string `json:"key"`
	Target string `json:"of"`
	Text   string `json:"text"`
}

// Delete deletes one of the user's messages.
type Delete struct {
	Room   string `json:"room"`
	Key    string `json:"key"`
	Target string `json:"of"`
}

// React adds a reaction to a message, or removes it.
type React struct {
	Room   string `json:"room"`
	Key    string `json:"key"`
	Target string `json:"of"`
	Emoji  string `json:"emoji"`
	On     bool   `json:"on"`
}

// Topic sets the room's topic, which may be empty.
type Topic struct {
	Room string `json:"room"`
	Key  string `json:"key"`
	Text string `json:"text"`
}

// Typing signals to the others in the room that the user is typing. The server does not answer it.
type Typing struct {
	Room string `json:"room"`
}

// MarkRead moves the user's read marker to the entry ID. The server does not answer it.
type MarkRead struct {
	Room string `json:"room"`
	ID   string `json:"id"`
}

// Ping requests a Pong, which the server sends after it has handled all earlier requests.
type Ping struct{}

func (Follow) kind() string   { return "follow" }
func (Unfollow) kind() string { return "unfollow" }
func (Message) kind() string  { return "send" }
func (Edit) kind() string     { return "edit" }
func (Delete) kind() string   { return "delete" }
func (React) kind() string    { return "react" }
func (Topic) kind() string    { return "topic" }
func (Typing) kind() string   { return "typing" }
func (MarkRead) kind() string { return "read" }
func (Ping) kind() string     { return "ping" }

func (m Message) key() string { return m.Key }
func (e Edit) key() string    { return e.Key }
func (d Delete) key() string  { return d.Key }
func (r React) key() string   { return r.Key }
func (t Topic) key() string   { return t.Key }

// encode returns the request as JSON: its type, then its fields.
func encode(r Request) []byte {
	fields, err := json.Marshal(r)
	if err != nil {
		panic(err) // requests contain only strings, numbers and booleans
	}
	frame := fmt.Appendf(nil, `{"type":%q`, r.kind())
	if len(fields) > len("{}") {
		frame = append(frame, ',')
	}
	return append(frame, fields[1:]...)
}

// NewKey returns a key for one Append: a random UUID (RFC 9562 section 5.4).
func NewKey() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
