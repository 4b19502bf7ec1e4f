package protocol

import (
	"strings"
	"time"

	"burble/streams"
)

// Actions of Audit entries. Clients show an unknown action unchanged.
const (
	ActionInvite     = "invite"        // created an invite to Room, or one with Role on the server
	ActionRevoke     = "revoke_invite" // revoked an invite
	ActionJoin       = "join"          // redeemed an invite of Member
	ActionLink       = "link"          // created a one-time link for Member
	ActionRole       = "role"          // gave Member the Role on the server
	ActionBan        = "ban"           // banned Member
	ActionUnban      = "unban"         // ended the ban of Member
	ActionSignOut    = "sign_out"      // ended all sessions of Member
	ActionRoomRole   = "room_role"     // gave Member the Role in Room
	ActionRemove     = "remove"        // removed Member from Room
	ActionMute       = "mute"          // muted Member in Room until MutedUntil
	ActionUnmute     = "unmute"        // unmuted Member in Room
	ActionLock       = "lock"          // locked Room
	ActionUnlock     = "unlock"        // unlocked Room
	ActionArchive    = "archive"       // archived Room
	ActionUnarchive  = "unarchive"     // unarchived Room
	ActionTitle      = "title"         // set the title of Room
	ActionDeleteRoom = "delete_room"   // deleted Room. It is empty for a private room
	ActionDelete     = "delete"        // deleted a message of Member in Room
	ActionErase      = "erase"         // deleted everything that Member wrote
)

// auditTexts are what AuditText returns. In them, {member}, {role}, {room} and {until} stand for fields.
var auditTexts = map[string]string{
	ActionInvite: "created an invite", ActionRevoke: "revoked an invite",
	ActionJoin: "accepted an invite from {member}", ActionLink: "created a sign-in link for {member}",
	ActionRole: "made {member} {role} of the server", ActionBan: "banned {member}", ActionUnban: "ended the ban of {member}",
	ActionSignOut: "signed {member} out everywhere", ActionRoomRole: "made {member} {role} of {room}",
	ActionRemove: "removed {member} from {room}", ActionMute: "muted {member} in {room} until {until}",
	ActionUnmute: "unmuted {member} in {room}", ActionLock: "locked {room}", ActionUnlock: "unlocked {room}",
	ActionArchive: "archived {room}", ActionUnarchive: "reopened {room}", ActionTitle: "set the title of {room}", ActionDeleteRoom: "deleted {room}",
	ActionDelete: "deleted a message of {member} in {room}", ActionErase: "deleted everything that {member} wrote",
}

// AuditText describes an Audit entry in words that follow the user's name.
func AuditText(entry *streams.Entry) string {
	text, known := auditTexts[entry.Action]
	if !known {
		text = "did: " + entry.Action
	}
	if entry.Action == ActionInvite {
		switch {
		case entry.Room != "":
			text += " to {room}"
		case entry.Role != "" && entry.Role != streams.Ordinary:
			text += " for {role}"
		}
	}
	room, role := "a private room", string(entry.Role)
	if entry.Room != "" {
		room = "#" + entry.Room
	}
	switch role {
	case "owner":
		role = "an owner"
	case "member", "moderator":
		role = "a " + role
	}
	member := entry.Member.Name
	if member == "" {
		member = "someone"
	}
	text = strings.NewReplacer("{member}", member, "{role}", role, "{room}", room,
		"{until}", entry.MutedUntil.UTC().Format("2006-01-02 15:04 UTC")).Replace(text)
	if entry.Reason != "" {
		text += ": " + entry.Reason
	}
	return text
}

// appendAudit appends the JSON fields of an Audit entry.
func appendAudit(dst []byte, entry *streams.Entry) []byte {
	dst = appendField(dst, "action", entry.Action)
	if entry.Member.ID != "" {
		dst = appendUser(append(dst, `,"member":`...), entry.Member)
	}
	for _, field := range []struct{ name, value string }{{"role", string(entry.Role)}, {"room", entry.Room}, {"reason", entry.Reason}} {
		if field.value != "" {
			dst = appendField(dst, field.name, field.value)
		}
	}
	if !entry.MutedUntil.IsZero() {
		dst = appendField(dst, "muted_until", entry.MutedUntil.UTC().Format(time.RFC3339))
	}
	return dst
}
