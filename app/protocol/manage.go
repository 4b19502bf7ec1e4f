package protocol

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"burble/app/markup"
	"burble/streams"

	"github.com/google/uuid"
)

// This file parses the requests that manage rooms and their members.

// Limits of these requests.
const (
	MaxTitle   = 120 // characters in the title of a room
	MaxReason  = 200 // characters in the reason for a change of a member, or for a ban
	MaxMembers = 100 // users that a request may add to a new room
)

// The kinds of rooms.
const (
	PublicRoom  = "public"
	PrivateRoom = "private"
	DirectRoom  = "direct"
)

// NewRoom is a request to create a room.
type NewRoom struct {
	Kind    string
	Room    string   // name of a public room
	Title   string   // of a public or private room
	Members []string // user IDs of the other members of a private or direct room
	Key     string   // idempotency key; empty if the client sent none
}

// ParseNewRoom parses the members of a JSON object, whose values are JSON.
func ParseNewRoom(raw map[string]string) (wanted NewRoom, err error) {
	if wanted.Kind, err = StringField("kind", raw["kind"]); err != nil {
		return wanted, err
	}
	fields, known := map[string][]string{
		PublicRoom: {"kind", "key", "room", "title"}, PrivateRoom: {"kind", "key", "title", "members"}, DirectRoom: {"kind", "key", "members"},
	}[wanted.Kind]
	if !known {
		return wanted, Errorf(BadField, "kind", `"kind" must be public, private or direct.`)
	}
	if err := checkNames(raw, fields); err != nil {
		return wanted, err
	}
	if wanted.Key, err = keyField(raw); err != nil {
		return wanted, err
	}
	if slices.Contains(fields, "room") {
		if wanted.Room, err = StringField("room", raw["room"]); err == nil {
			wanted.Room, err = CheckRoom(wanted.Room)
		}
		if err != nil {
			return wanted, err
		}
	}
	if raw["title"] != "" || wanted.Kind == PrivateRoom {
		if wanted.Title, err = StringField("title", raw["title"]); err == nil {
			wanted.Title, err = CheckTitle(wanted.Title)
		}
		if err != nil {
			return wanted, err
		}
	}
	if wanted.Kind == PrivateRoom {
		if err := CheckPrivateTitle(wanted.Title); err != nil {
			return wanted, err
		}
	}
	wanted.Members, err = membersField(raw["members"])
	return wanted, err
}

// membersField parses a list of user IDs. An empty value is an empty list.
func membersField(value string) (members []string, err error) {
	if value == "" {
		return nil, nil
	}
	if json.Unmarshal([]byte(value), &members) != nil || members == nil {
		return nil, Errorf(BadField, "members", `"members" must be a list of user IDs.`)
	}
	if len(members) > MaxMembers {
		return nil, Errorf(BadField, "members", "A request may add at most %d members.", MaxMembers)
	}
	for i, id := range members {
		if members[i], err = CheckUser("members", id); err != nil {
			return nil, err
		}
	}
	return members, nil
}

// SettingsChange is a request to change the settings of a room. Fields that are nil do not change.
type SettingsChange struct {
	Title            *string
	Archived, Locked *bool
	Key              string
}

// Entry returns the entry to append.
func (c *SettingsChange) Entry() streams.Entry {
	entry := streams.Entry{Kind: streams.SettingsChanged, Key: c.Key}
	if c.Title == nil {
		entry.Unchanged = append(entry.Unchanged, "title")
	} else {
		entry.Settings.Title = *c.Title
	}
	for name, given := range map[string]*bool{"archived": c.Archived, "locked": c.Locked} {
		if given == nil {
			entry.Unchanged = append(entry.Unchanged, name)
		}
	}
	entry.Settings.Archived = c.Archived != nil && *c.Archived
	entry.Settings.Locked = c.Locked != nil && *c.Locked
	return entry
}

// ParseSettings parses the members of a JSON object, whose values are JSON.
func ParseSettings(raw map[string]string) (change SettingsChange, err error) {
	if err := checkNames(raw, []string{"title", "archived", "locked", "key"}); err != nil {
		return change, err
	}
	if change.Key, err = keyField(raw); err != nil {
		return change, err
	}
	if raw["title"] != "" {
		title, err := StringField("title", raw["title"])
		if err == nil {
			title, err = CheckTitle(title)
		}
		if err != nil {
			return change, err
		}
		change.Title = &title
	}
	for name, field := range map[string]**bool{"archived": &change.Archived, "locked": &change.Locked} {
		if raw[name] == "" {
			continue
		}
		value, err := BoolField(name, raw[name])
		if err != nil {
			return change, err
		}
		*field = &value
	}
	if change.Title == nil && change.Archived == nil && change.Locked == nil {
		return change, Errorf(BadField, "title", `The request changes nothing. It needs "title", "archived" or "locked".`)
	}
	return change, nil
}

// MemberChange is a request to add, change or remove a member of a room.
type MemberChange struct {
	Role       streams.Role // empty to keep the role, or to add an ordinary member
	MutedUntil time.Time    // zero if the member is not muted
	Reason     string
	Key        string
}

// ParseMember parses the members of a JSON object, whose values are JSON.
func ParseMember(raw map[string]string, now time.Time) (change MemberChange, err error) {
	if err := checkNames(raw, []string{"role", "muted_until", "reason", "key"}); err != nil {
		return change, err
	}
	if raw["role"] != "" {
		role, err := StringField("role", raw["role"])
		if change.Role = streams.Role(role); err != nil || change.Role != streams.Ordinary && change.Role != streams.RoomModerator {
			return change, Errorf(BadField, "role", `"role" must be member or moderator.`)
		}
	}
	if value := raw["muted_until"]; value != "" && value != "null" {
		text, err := StringField("muted_until", value)
		if err != nil {
			return change, err
		}
		if change.MutedUntil, err = CheckTime("muted_until", text); err != nil {
			return change, err
		}
		if !change.MutedUntil.After(now) {
			return change, Errorf(BadField, "muted_until", `"muted_until" must be in the future.`)
		}
	}
	return change, change.parseCommon(raw)
}

// ParseRemoval parses the body of a request to remove a member.
func ParseRemoval(raw map[string]string) (change MemberChange, err error) {
	if err := checkNames(raw, []string{"reason", "key"}); err != nil {
		return change, err
	}
	change.Role = streams.NoRole
	return change, change.parseCommon(raw)
}

// parseCommon parses the fields that all changes of members have.
func (c *MemberChange) parseCommon(raw map[string]string) (err error) {
	if raw["reason"] != "" {
		if c.Reason, err = StringField("reason", raw["reason"]); err != nil {
			return err
		}
		if c.Reason, err = CheckReason(c.Reason); err != nil {
			return err
		}
	}
	c.Key, err = keyField(raw)
	return err
}

// CheckTitle validates the title of a room and joins its lines into one.
func CheckTitle(title string) (string, error) { return checkPlain("title", title, MaxTitle) }

// CheckReason validates the reason for a change and joins its lines into one.
func CheckReason(reason string) (string, error) { return checkPlain("reason", reason, MaxReason) }

// checkPlain is like checkLine, but also refuses control characters, including those that change the direction of
// text.
func checkPlain(field, text string, limit int) (string, error) {
	for _, r := range text {
		if unicode.IsControl(r) && !unicode.IsSpace(r) || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
			return "", Errorf(BadField, field, "A %s must not contain the control character %U.", field, r)
		}
	}
	return checkLine(field, field, text, limit)
}

// CheckPrivateTitle returns an error if the title has no visible character. Unlike a public room, a private
// one has no other name that people can read.
func CheckPrivateTitle(title string) error {
	if !strings.ContainsFunc(title, markup.IsVisible) {
		return Errorf(BadField, "title", "A private room needs a title.")
	}
	return nil
}

// CheckUser validates a user ID. field is the field or parameter that contains it.
func CheckUser(field, id string) (string, error) {
	if parsed, err := uuid.Parse(id); err != nil || parsed.String() != id {
		return "", Errorf(BadField, field, "A user ID must be a UUID in lower case such as 5d0f61a4-8a1e-4d7c-9f0a-3b1f2c4d5e6f.")
	}
	return id, nil
}

// keyField parses the idempotency key, which may be absent.
func keyField(raw map[string]string) (string, error) {
	if raw["key"] == "" {
		return "", nil
	}
	key, err := StringField("key", raw["key"])
	if err != nil {
		return "", err
	}
	return CheckKey("key", key)
}

// checkNames returns an error if the object has a member whose name is not in names.
func checkNames(raw map[string]string, names []string) error {
	for _, name := range SortedNames(raw) {
		if !slices.Contains(names, name) {
			return UnknownField(name)
		}
	}
	return nil
}

// ErrRoomExists is the error for a new public room whose name is taken.
var ErrRoomExists = &Error{
	Code: BadField, Status: http.StatusConflict, Field: "room", Message: "This room already exists.",
	Title: "This room already exists", Detail: "Choose another name, or open the room.",
}

// ErrUnknownUser is the error for a user ID that the server does not know.
var ErrUnknownUser = Errorf(NotFound, "user", "There is no such user.")

// RoomMember is an item of the list of a room's members.
type RoomMember struct {
	User       User         `json:"user"`
	Role       streams.Role `json:"role"`
	Since      string       `json:"since"`       // ID of the entry that made the user a member
	MutedUntil *string      `json:"muted_until"` // null if the member is not muted
}

// EncodeMembers returns the list of a room's members as JSON. It omits mutes that have ended.
func EncodeMembers(users []User, members []streams.Member, now time.Time) []byte {
	list := make([]RoomMember, len(members))
	for i, member := range members {
		list[i] = RoomMember{User: users[i], Role: member.Role, Since: member.Since.String()}
		if member.MutedUntil.After(now) {
			until := member.MutedUntil.UTC().Format(time.RFC3339)
			list[i].MutedUntil = &until
		}
	}
	return encode(list)
}
