package streams

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// messageState is the state of a message in the amended hash. append.lua writes it.
type messageState struct {
	Text      *string             `json:"t"`
	Edits     []string            `json:"e"`
	Reactions map[string][]string `json:"r"`
	MoreUsers map[string]int      `json:"m"`

	// Deleted is the ID of the deletion, or "" if there is none. The fields below are all that
	// remains of a deleted message.
	Deleted  string `json:"d"`
	Number   string `json:"n"`
	Key      string `json:"k"`
	UserID   string `json:"u"`
	UserName string `json:"a"`
	ReplyTo  string `json:"re"`
}

// parseMessage parses a row {ID, fields, state} of page.lua. entry must be zero.
func parseMessage(row []any, entry *Entry) {
	id, _ := row[0].(string)
	message := redis.XMessage{ID: id, Values: make(map[string]any)}
	fields := asList(row[1])
	for i := 0; i+1 < len(fields); i += 2 {
		name, _ := fields[i].(string)
		message.Values[name] = fields[i+1]
	}
	parseEntry(message, entry)
	state, ok := parseMessageState(row[2])
	if !ok {
		return
	}
	if state.Text != nil {
		entry.Text, entry.Mentions = *state.Text, nil
	}
	if n := len(state.Edits); n > 0 {
		entry.Edited, _ = ParseID(state.Edits[n-1])
	}
	state.mergeVariants()
	entry.Reactions, entry.MoreUsers = state.Reactions, state.MoreUsers
	for emoji := range entry.MoreUsers {
		if entry.Reactions == nil {
			entry.Reactions = make(map[string][]string)
		}
		if entry.Reactions[emoji] == nil {
			entry.Reactions[emoji] = []string{}
		}
	}
}

var variationSelectors = strings.NewReplacer("\ufe0e", "", "\ufe0f", "")

// mergeVariants merges reactions whose emoji differ only in variation selectors. An older release stored
// emoji without normalizing them.
func (s *messageState) mergeVariants() {
	variants := make(map[string]string) // by emoji without selectors
	for _, emoji := range slices.Sorted(maps.Keys(s.Reactions)) {
		bare := variationSelectors.Replace(emoji)
		other, known := variants[bare]
		if !known {
			variants[bare] = emoji
			continue
		}
		users := s.Reactions[other] // other sorts before emoji, because it has fewer selectors
		for _, user := range users {
			if !slices.Contains(s.Reactions[emoji], user) {
				s.Reactions[emoji] = append(s.Reactions[emoji], user)
			}
		}
		if more := s.MoreUsers[other]; more > 0 {
			s.MoreUsers[emoji] += more
		}
		delete(s.Reactions, other)
		delete(s.MoreUsers, other)
		variants[bare] = emoji
	}
}

// parseTombstone parses a row {ID, state} of page.lua. ok reports whether the row is a deleted message.
func parseTombstone(row []any) (entry Entry, ok bool) {
	name, _ := row[0].(string)
	id, err := ParseID(name)
	state, ok := parseMessageState(row[1])
	if err != nil || !ok || state.Deleted == "" {
		return Entry{}, false
	}
	entry = Entry{ID: id, Kind: Message, Key: state.Key, User: User{state.UserID, state.UserName}, Deleted: true}
	entry.Number, _ = strconv.ParseInt(state.Number, 10, 64)
	entry.ReplyTo, _ = ParseID(state.ReplyTo)
	return entry, true
}

func parseMessageState(text any) (state messageState, ok bool) {
	raw, _ := text.(string)
	ok = raw != "" && json.Unmarshal([]byte(raw), &state) == nil
	return state, ok
}

func asList(value any) []any {
	items, _ := value.([]any)
	return items
}
