package plaintext

import (
	"strings"

	"burble/app/protocol"
	"burble/streams"
)

// auditTexts are the templates of Audit, by action. {member}, {role}, {room} and {until} stand for fields.
var auditTexts = map[string]string{
	protocol.ActionInvite: "created an invite", protocol.ActionRevoke: "revoked an invite",
	protocol.ActionJoin: "accepted an invite from {member}", protocol.ActionLink: "created a sign-in link for {member}",
	protocol.ActionRole: "made {member} {role} of the server", protocol.ActionBan: "banned {member}", protocol.ActionUnban: "ended the ban of {member}",
	protocol.ActionSignOut: "signed {member} out everywhere", protocol.ActionRoomRole: "made {member} {role} of {room}",
	protocol.ActionRemove: "removed {member} from {room}", protocol.ActionMute: "muted {member} in {room} until {until}",
	protocol.ActionUnmute: "unmuted {member} in {room}", protocol.ActionLock: "locked {room}", protocol.ActionUnlock: "unlocked {room}",
	protocol.ActionArchive: "archived {room}", protocol.ActionUnarchive: "reopened {room}", protocol.ActionTitle: "set the title of {room}", protocol.ActionDeleteRoom: "deleted {room}",
	protocol.ActionDelete: "deleted a message of {member} in {room}", protocol.ActionErase: "deleted everything that {member} wrote",
}

// Audit describes an entry of kind Audit. The text is meant to follow the user's name.
func Audit(entry *streams.Entry) string {
	text, known := auditTexts[entry.Action]
	if !known {
		text = "performed the action " + entry.Action
	}
	if entry.Action == protocol.ActionInvite {
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
