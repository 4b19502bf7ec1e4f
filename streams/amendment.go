package streams

import (
	"encoding/json"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// amendment is a message's state in the amended hash, as append.lua writes it.
type amendment struct {
	Text      *string             `json:"t"`
	Edits     []string            `json:"e"`
	Reactions map[string][]string `json:"r"`
	Deleted   string              `json:"d"` // by this entry; and then, of the message:
	N         string              `json:"n"`
	Key       string              `json:"k"`
	UserID    string              `json:"u"`
	UserName  string              `json:"a"`
	ReplyTo   string              `json:"re"`
}

// foldMessage reads {ID, fields, state}.
func foldMessage(row []any) Entry {
	id, _ := row[0].(string)
	message := redis.XMessage{ID: id, Values: make(map[string]any)}
	fields := list(row[1])
	for i := 0; i+1 < len(fields); i += 2 {
		name, _ := fields[i].(string)
		message.Values[name] = fields[i+1]
	}
	entry := parseEntry(message)
	state, ok := parseAmendment(row[2])
	if !ok {
		return entry
	}
	if state.Text != nil {
		entry.Text = *state.Text
	}
	if n := len(state.Edits); n > 0 {
		entry.Edited, _ = ParseID(state.Edits[n-1])
	}
	entry.Reactions = state.Reactions
	return entry
}

// tombstone reads {ID, state} of an erased message; ok is false for an erased edit.
func tombstone(row []any) (Entry, bool) {
	name, _ := row[0].(string)
	id, err := ParseID(name)
	state, ok := parseAmendment(row[1])
	if err != nil || !ok || state.Deleted == "" {
		return Entry{}, false
	}
	entry := Entry{ID: id, Kind: Message, Key: state.Key, User: User{state.UserID, state.UserName}, Deleted: true}
	entry.N, _ = strconv.ParseInt(state.N, 10, 64)
	entry.ReplyTo, _ = ParseID(state.ReplyTo)
	return entry, true
}

func parseAmendment(text any) (amendment, bool) {
	var state amendment
	raw, _ := text.(string)
	ok := raw != "" && json.Unmarshal([]byte(raw), &state) == nil
	return state, ok
}

func list(value any) []any {
	items, _ := value.([]any)
	return items
}
