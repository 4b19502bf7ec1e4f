package streams

import (
	"strconv"

	"github.com/redis/go-redis/v9"
)

// Kind is what an entry says.
type Kind string

// The kinds of entries.
const (
	Message Kind = "message" // Key, User, Text, perhaps ReplyTo
	Edit    Kind = "edit"    // Of has the text Text now
	React   Kind = "react"   // User put Emoji on Of, or took it off
	Delete  Kind = "delete"  // Of and its edits are erased
	Topic   Kind = "topic"   // the room is about Text from now on; empty: about nothing
	// Unreadable stands for an entry that Burble did not write. Only its ID
	// is set: a reader passes over it and the room goes on.
	Unreadable Kind = "unreadable"
)

// User is who an entry is from.
type User struct{ ID, Name string }

// Entry is one event of a room. Which fields are set depends on Kind.
type Entry struct {
	ID      ID
	N       int64 // dense from 1 within an epoch
	Kind    Kind
	Key     string // the send key: a UUID made by the client
	User    User
	Text    string
	ReplyTo ID // zero: not a reply
	Of      ID
	Emoji   string
	On      bool

	// Set only in a history page, where a message is as it is now.
	Edited    ID                  // the last edit's entry ID, or zero
	Reactions map[string][]string // emoji to user IDs, in the order they came
	Deleted   bool                // and then Text is empty
}

// size is about what the entry costs in memory and on the wire.
func (e *Entry) size() int { return 200 + len(e.Text) + len(e.User.Name) }

// parseEntry reads what append.lua wrote.
func parseEntry(message redis.XMessage) Entry {
	id, err := ParseID(message.ID)
	if err != nil {
		return Entry{Kind: Unreadable}
	}
	field := func(name string) string {
		value, _ := message.Values[name].(string)
		return value
	}
	entry := Entry{
		ID: id, Kind: Kind(field("kind")), Key: field("key"), Text: field("text"),
		User:  User{field("uid"), field("name")},
		Emoji: field("emoji"), On: field("on") == "1",
	}
	entry.N, err = strconv.ParseInt(field("n"), 10, 64)
	if err != nil || entry.N < 1 || entry.User.ID == "" {
		return Entry{ID: id, Kind: Unreadable}
	}
	if reply := field("re"); reply != "" {
		if entry.ReplyTo, err = ParseID(reply); err != nil {
			return Entry{ID: id, Kind: Unreadable}
		}
	}
	switch entry.Kind {
	case Message, Topic:
		return entry
	case Edit, React, Delete:
		if entry.Of, err = ParseID(field("of")); err == nil {
			return entry
		}
	}
	return Entry{ID: id, Kind: Unreadable}
}

func parseEntries(messages []redis.XMessage) []Entry {
	entries := make([]Entry, len(messages))
	for i, message := range messages {
		entries[i] = parseEntry(message)
	}
	return entries
}
