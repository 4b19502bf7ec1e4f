package protocol

import (
	"bytes"
	"cmp"
	"encoding/json"

	"burble/streams"
)

// The frames that a server sends, except "entries" and "followed" (entry_json.go).

// User is a user as frames and responses show one.
type User struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Hello is the first frame of every connection.
type Hello struct {
	Type       string             `json:"type"` // "hello"
	Protocol   string             `json:"protocol"`
	User       *User              `json:"user"` // null: the client has no name and can only read
	Durability streams.Durability `json:"durability"`
	Limits     Limits             `json:"limits"`
}

// Limits are the limits that a client should know before it sends.
type Limits struct {
	Text int `json:"text"` // characters of a message
}

// Status reports that Redis went away or came back.
type Status struct {
	Type  string `json:"type"`  // "status"
	Redis string `json:"redis"` // "away" or "back"
}

// Stored acknowledges an entry.
type Stored struct {
	Type string `json:"type"` // "stored"
	Room string `json:"room"`
	Key  string `json:"key"` // of the frame that is acknowledged
	ID   string `json:"id"`  // of the entry
}

// Present lists who is in a room. A crowd is only counted: Users is then empty.
type Present struct {
	Type  string `json:"type"` // "present"
	Room  string `json:"room"`
	Count int    `json:"count"`
	Users []User `json:"users"`
}

// Signal reports an event in a room that is not stored: typing, joined, left, seen.
type Signal struct {
	Type string             `json:"type"` // "signal"
	Room string             `json:"room"`
	Kind streams.SignalKind `json:"kind"`
	User User               `json:"user"`
	ID   string             `json:"id,omitempty"` // of the entry that was seen
}

// ErrorFrame answers a frame that was refused. Room and Key are the refused frame's.
type ErrorFrame struct {
	Type         string `json:"type"` // "error"
	Code         Code   `json:"code"`
	Message      string `json:"message"`
	Room         string `json:"room,omitempty"`
	Key          string `json:"key,omitempty"`
	Field        string `json:"field,omitempty"`
	RetryAfterMS int64  `json:"retry_after_ms,omitempty"`
}

// Room is a room in the list of rooms.
type Room struct {
	Room     string  `json:"room"`
	Title    string  `json:"title"`    // the topic, else the name
	Last     string  `json:"last"`     // ID of its last entry
	Unread   int     `json:"unread"`   // messages
	Mentions int     `json:"mentions"` // of the user, among those
	Present  int     `json:"present"`  // people in it now
	Read     *string `json:"read"`     // ID of the last entry the user has read; null: none
}

// encode returns the frame's JSON. Unlike json.Marshal it leaves <, > and & as they are.
func encode(frame any) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(frame); err != nil {
		panic(err) // the frames above hold strings and numbers only
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n"))
}

// EncodeHello returns the frame "hello". The zero user stands for a client without a name.
func EncodeHello(user streams.User, durability streams.Durability) []byte {
	hello := Hello{Type: "hello", Protocol: Subprotocol, Durability: durability, Limits: Limits{Text: MaxText}}
	if user != (streams.User{}) {
		hello.User = (*User)(&user)
	}
	return encode(hello)
}

// EncodeStatus returns the frame "status".
func EncodeStatus(away bool) []byte {
	if away {
		return encode(Status{"status", "away"})
	}
	return encode(Status{"status", "back"})
}

// EncodePong returns the frame "pong", the reply to the frame "ping". A script in a browser cannot
// use the WebSocket protocol's own pings.
func EncodePong() []byte { return []byte(`{"type":"pong"}`) }

// EncodeStored returns the frame "stored".
func EncodeStored(room, key string, id streams.ID) []byte {
	return encode(Stored{"stored", room, key, id.String()})
}

// EncodePresent returns the frame "present".
func EncodePresent(room string, count int, people []streams.User) []byte {
	users := make([]User, len(people))
	for i, user := range people {
		users[i] = User(user)
	}
	return encode(Present{"present", room, count, users})
}

// EncodeSignal returns the frame "signal", or for a signal that counts a crowd the frame "present".
func EncodeSignal(room string, signal *streams.Signal) []byte {
	if signal.Kind == streams.Count {
		return EncodePresent(room, signal.Count, nil)
	}
	return encode(Signal{"signal", room, signal.Kind, User(signal.User), idText(signal.ID)})
}

// EncodeError returns the frame "error". room and key identify the refused frame; each
// may be empty.
func EncodeError(refused *Error, room, key string) []byte {
	frame := ErrorFrame{
		Type: "error", Code: refused.Code, Message: refused.Message, Room: room, Key: key, Field: refused.Field,
	}
	if refused.RetryAfter > 0 {
		frame.RetryAfterMS = max(1, refused.RetryAfter.Milliseconds())
	}
	return encode(frame)
}

// EncodeRooms returns the list of rooms.
func EncodeRooms(rooms []streams.Room) []byte {
	list := make([]Room, len(rooms))
	for i, room := range rooms {
		list[i] = Room{
			Room: room.Name, Title: cmp.Or(room.Topic, room.Name), Last: room.Last.String(),
			Unread: room.Unread, Mentions: room.Mentions, Present: room.Present,
		}
		if read := idText(room.Read); read != "" {
			list[i].Read = &read
		}
	}
	return encode(list)
}

// idText returns the ID, or "" for the zero ID.
func idText(id streams.ID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}
