package streams

import (
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// User is the author of an entry, a reader, or a person who is present in a room.
type User struct{ ID, Name string }

// Entry is one event in a room. Its Kind determines which fields are set.
type Entry struct {
	ID      ID
	Number  int64 // position among the room's entries from 1, without gaps within an epoch
	Kind    Kind
	Key     string // the idempotency key: a UUID chosen by the client
	User    User
	Text    string
	ReplyTo ID // zero if the entry is not a reply
	Of      ID // the message that an Edit, a React or a Delete amends
	Emoji   string
	On      bool
	// Mentions has the names that Text mentions, folded by package fold. It is nil if they are unknown.
	Mentions []string
	Files    []File   // attached to a message; the texts of edits do not change them
	Preview  *Preview // of a message; may be nil

	// Set in a MemberChanged entry, and in an Audit entry if the action has them.
	Member     User
	Role       Role
	MutedUntil time.Time // zero if Member is not muted
	Reason     string

	Settings Settings // set only in a SettingsChanged entry
	// Unchanged names the Settings that Append leaves as they are: "title", "archived" or "locked".
	Unchanged []string

	// Set only in an Audit entry.
	Action string // such as "ban"
	Room   string // the public room where it happened, if it happened in one

	// Set only in a Page, which returns messages in their current state.
	Edited    ID                  // ID of the last edit; zero if there is none
	Reactions map[string][]string // user IDs by emoji, in the order of reaction; up to 50 in all, plus the user who reads the Page
	MoreUsers map[string]int      // number of users who are not in Reactions, by emoji
	Deleted   bool                // if true, Text is empty
}

// size estimates how many bytes the entry takes in memory and in a frame.
func (e *Entry) size() int { return 200 + len(e.Text) + len(e.User.Name) + e.attachedBytes() }

// parseEntry parses an entry that append.lua wrote. entry must be zero. If the message has another
// form, because another program wrote it, parseEntry sets entry.Kind to Unreadable.
func parseEntry(message redis.XMessage, entry *Entry) {
	id, err := ParseID(message.ID)
	if err != nil {
		entry.Kind = Unreadable
		return
	}
	field := func(name string) string {
		value, _ := message.Values[name].(string)
		return value
	}
	entry.ID, entry.Kind, entry.Key = id, Kind(field("kind")), field("key")
	entry.User = User{field("uid"), field("name")}
	entry.Number, err = strconv.ParseInt(field("n"), 10, 64)
	fields, known := kindFields[entry.Kind]
	if err != nil || entry.Number < 1 || entry.User.ID == "" || !known {
		*entry = Entry{ID: id, Kind: Unreadable}
		return
	}
	for i := range fields {
		value := field(fields[i].name)
		if value == "" && fields[i].isOptional {
			continue
		}
		if fields[i].set(entry, value) != nil {
			*entry = Entry{ID: id, Kind: Unreadable}
			return
		}
	}
}

func parseEntries(messages []redis.XMessage) []Entry {
	entries := make([]Entry, len(messages))
	for i, message := range messages {
		parseEntry(message, &entries[i])
	}
	return entries
}
