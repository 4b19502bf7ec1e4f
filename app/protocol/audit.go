package protocol

import (
	"time"

	"burble/app/rawjson"
	"burble/streams"
)

// Actions of Audit entries. Clients show an unknown action unchanged.
const (
	ActionInvite     = "invite"        // created an invite to Room, or one that gives Role on the server
	ActionRevoke     = "revoke_invite" // revoked an invite
	ActionJoin       = "join"          // redeemed an invite from Member
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
	ActionDeleteRoom = "delete_room"   // deleted a room; Room is empty if the room was hidden
	ActionDelete     = "delete"        // deleted a message of Member in Room
	ActionErase      = "erase"         // deleted everything that Member wrote
)

// appendAudit appends the JSON fields of an Audit entry.
func appendAudit(dst []byte, entry *streams.Entry) []byte {
	dst = rawjson.AppendField(dst, "action", entry.Action)
	if entry.Member.ID != "" {
		dst = appendUser(append(dst, `,"member":`...), entry.Member)
	}
	for _, field := range []struct{ name, value string }{{"role", string(entry.Role)}, {"room", entry.Room}, {"reason", entry.Reason}} {
		if field.value != "" {
			dst = rawjson.AppendField(dst, field.name, field.value)
		}
	}
	if !entry.MutedUntil.IsZero() {
		dst = rawjson.AppendField(dst, "muted_until", entry.MutedUntil.UTC().Format(time.RFC3339))
	}
	return dst
}
