package protocol

import (
	"bytes"
	"cmp"
	"encoding/json"
	"time"

	"burble/streams"
)

// This file defines the frames that a server sends, except "entries" and "followed", which are in
// entry_json.go.

// User is the JSON form of a user in frames and responses.
type User struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Hello is the first frame of every connection.
type Hello struct {
	Type       string             `json:"type"` // "hello"
	Protocol   string             `json:"protocol"`
	User       *User              `json:"user"` // null if the client has no name and can only read
	Durability streams.Durability `json:"durability"`
	Limits     Limits             `json:"limits"`
	Time       int64              `json:"time"` // of the server, in milliseconds since 1970
}

// Limits are the limits that a client should check before it sends a message.
type Limits struct {
	Text  int         `json:"text"`            // maximum characters in a message
	Files *FileLimits `json:"files,omitempty"` // nil if the server accepts no files
}

// FileLimits are the limits of files.
type FileLimits struct {
	Picture int64 `json:"picture"` // maximum bytes of a picture
	File    int64 `json:"file"`    // maximum bytes of any other file
	Count   int   `json:"count"`   // maximum files of a message
}

// JSON returns the limits as JSON.
func (l *FileLimits) JSON() string { return string(encode(l)) }

// Status reports that Redis went away or came back.
type Status struct {
	Type  string `json:"type"`  // "status"
	Redis string `json:"redis"` // "away" or "back"
}

// Closed reports that the client may no longer read a room, and that the server has ended its follow. With
// the code SignedOut, there is no room: the session has ended, and the server closes the connection.
type Closed struct {
	Type string         `json:"type"` // "closed"
	Room string         `json:"room,omitempty"`
	Code streams.Closed `json:"code"`
}

// SignedOut is the code of a Closed frame for a session that has ended.
const SignedOut streams.Closed = "signed_out"

// Stored acknowledges a stored entry.
type Stored struct {
	Type string `json:"type"` // "stored"
	Room string `json:"room"`
	Key  string `json:"key"` // key of the acknowledged frame
	ID   string `json:"id"`  // entry ID
}

// Present lists the people in a room. If there are too many to list, Users is empty.
type Present struct {
	Type  string `json:"type"` // "present"
	Room  string `json:"room"`
	Count int    `json:"count"`
	Users []User `json:"users"`
}

// Signal reports an event in a room. Signals are not stored. Kind is came, left, typing or read.
type Signal struct {
	Type string             `json:"type"` // "signal"
	Room string             `json:"room"`
	Kind streams.SignalKind `json:"kind"`
	User User               `json:"user"`
	ID   string             `json:"id,omitempty"` // ID of the last entry that the user has read, for "read"
}

// ErrorFrame reports that the server refused a frame. Room and Key are copied from that frame.
type ErrorFrame struct {
	Type         string `json:"type"` // "error"
	Code         Code   `json:"code"`
	Message      string `json:"message"`
	Room         string `json:"room,omitempty"`
	Key          string `json:"key,omitempty"`
	Field        string `json:"field,omitempty"`
	RetryAfterMS int64  `json:"retry_after_ms,omitempty"`
}

// Room is an item of the list of rooms.
type Room struct {
	Room     string  `json:"room"`
	Title    string  `json:"title"`    // title, or else the topic, or else the name
	Last     string  `json:"last"`     // ID of the last entry
	Unread   int     `json:"unread"`   // unread messages
	Mentions int     `json:"mentions"` // unread messages that mention the user
	Present  int     `json:"present"`  // people in the room now
	Read     *string `json:"read"`     // ID of the last entry that the user has read, or null
}

// encode returns the frame as JSON. Unlike json.Marshal, it does not escape <, > and &.
func encode(frame any) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(frame); err != nil {
		panic(err) // unreachable: frames contain only strings and numbers
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n"))
}

// EncodeHello returns a "hello" frame. user is the zero User if the client has no name. files may be nil.
func EncodeHello(user streams.User, durability streams.Durability, files *FileLimits, now time.Time) []byte {
	hello := Hello{Type: "hello", Protocol: Subprotocol, Durability: durability, Limits: Limits{MaxText, files}, Time: now.UnixMilli()}
	if user != (streams.User{}) {
		hello.User = (*User)(&user)
	}
	return encode(hello)
}

// EncodeStatus returns a "status" frame.
func EncodeStatus(away bool) []byte {
	if away {
		return encode(Status{"status", "away"})
	}
	return encode(Status{"status", "back"})
}

// EncodeClosed returns a "closed" frame.
func EncodeClosed(room string, code streams.Closed) []byte {
	return encode(Closed{"closed", room, code})
}

// EncodePong returns a "pong" frame, the reply to a "ping" frame. The protocol has both because
// scripts in browsers cannot send WebSocket pings.
func EncodePong() []byte { return []byte(`{"type":"pong"}`) }

// EncodeStored returns a "stored" frame.
func EncodeStored(room, key string, id streams.ID) []byte {
	return encode(Stored{"stored", room, key, id.String()})
}

// EncodePresent returns a "present" frame.
func EncodePresent(room string, count int, people []streams.User) []byte {
	users := make([]User, len(people))
	for i, user := range people {
		users[i] = User(user)
	}
	return encode(Present{"present", room, count, users})
}

// EncodeSignal returns a "signal" frame. For a signal with the number of people in a room, it
// returns a "present" frame.
func EncodeSignal(room string, signal *streams.Signal) []byte {
	if signal.Kind == streams.Count {
		return EncodePresent(room, signal.Count, nil)
	}
	return encode(Signal{"signal", room, signal.Kind, User(signal.User), idText(signal.ID)})
}

// EncodeError returns an "error" frame. room and key identify the refused frame, and either may be
// empty.
func EncodeError(refused *Error, room, key string) []byte {
	frame := ErrorFrame{
		Type: "error", Code: refused.Code, Message: refused.Message, Room: room, Key: key, Field: refused.Field,
	}
	if refused.RetryAfter > 0 {
		frame.RetryAfterMS = max(1, refused.RetryAfter.Milliseconds())
	}
	return encode(frame)
}

// EncodeRooms returns the list of rooms as JSON.
func EncodeRooms(rooms []streams.Room) []byte {
	list := make([]Room, len(rooms))
	for i, room := range rooms {
		list[i] = Room{
			Room: room.Name, Title: cmp.Or(room.Title, room.Topic, room.Name), Last: room.Last.String(),
			Unread: room.Unread, Mentions: room.Mentions, Present: room.Present,
		}
		if read := idText(room.Read); read != "" {
			list[i].Read = &read
		}
	}
	return encode(list)
}

// idText returns the ID as a string, or "" for the zero ID.
func idText(id streams.ID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}
