package protocol

import (
	"testing"
	"time"

	"burble/streams"
)

func TestLinesOfPlainTextCannotControlATerminal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain, \u05e9\u05dc\u05d5\u05dd, \U0001f468\u200d\U0001f469":                     "plain, \u05e9\u05dc\u05d5\u05dd, \U0001f468\u200d\U0001f469",
		"\u202eabc\u202c \u2066\u2067\u2068x\u2069 \u202a\u202b\u202d \u200e\u200f\u061c": "abc x  ",
		"\x1b[2J\x07\x00\x7f\u0085\u009b31m":                                              "\ufffd[2J\ufffd\ufffd\ufffd\ufffd\ufffd31m",
		"a\n09:41 Eve: b":                                                                 "a\n      09:41 Eve: b",
		"a\r\tb":                                                                          "a\ufffd\tb",
	} {
		entry := streams.Entry{Kind: streams.Message, User: streams.User{Name: text}, Text: text}
		if got := string(AppendLine(nil, &entry)); got != "00:00 "+want+": "+want+"\n" {
			t.Errorf("line of %q = %q, want %q", text, got, "00:00 "+want+": "+want+"\n")
		}
	}
}

func TestAuditText(t *testing.T) {
	t.Parallel()
	bob := streams.User{ID: "b", Name: "Bob"}
	for want, entry := range map[string]streams.Entry{
		"created an invite":                              {Action: ActionInvite, Role: streams.Ordinary},
		"created an invite for an owner":                 {Action: ActionInvite, Role: "owner"},
		"created an invite to #lobby":                    {Action: ActionInvite, Room: "lobby", Role: streams.Ordinary},
		"made Bob a moderator of the server":             {Action: ActionRole, Member: bob, Role: streams.RoomModerator},
		"banned Bob: spam":                               {Action: ActionBan, Member: bob, Reason: "spam"},
		"muted Bob in #lobby until 1970-01-01 00:00 UTC": {Action: ActionMute, Member: bob, Room: "lobby", MutedUntil: time.Unix(0, 0)},
		"deleted a private room":                         {Action: ActionDeleteRoom},
		"did: something new":                             {Action: "something new"},
	} {
		if got := AuditText(&entry); got != want {
			t.Errorf("AuditText(%+v) = %q, want %q", entry, got, want)
		}
	}
}
