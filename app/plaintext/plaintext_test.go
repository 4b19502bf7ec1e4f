package plaintext_test

import (
	"testing"
	"time"

	"burble/app/plaintext"
	"burble/app/protocol"
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
		if got := string(plaintext.AppendEntry(nil, "lobby", &entry)); got != "00:00 "+want+": "+want+"\n" {
			t.Errorf("line of %q = %q, want %q", text, got, "00:00 "+want+": "+want+"\n")
		}
	}
}

func TestFilesAreLinesOfTheirMessage(t *testing.T) {
	t.Parallel()
	entry := streams.Entry{Kind: streams.Message, User: streams.User{Name: "Ada"}, Files: []streams.File{
		{Name: "cat.png", Type: "image/png", Size: 999}, {Name: "a\x1b[2J\n09:41 Eve: b\u202egnp.exe", Type: "application/octet-stream", Size: 1_300_000},
		{Name: "c", Type: "text/plain", Size: 25 << 20},
	}}
	const files = "cat.png (image/png, 999 bytes) /f/lobby/0-0/0\n" +
		"      a\ufffd[2J\n      09:41 Eve: bgnp.exe (application/octet-stream, 1.2 MB) /f/lobby/0-0/1\n" +
		"      c (text/plain, 25 MB) /f/lobby/0-0/2\n"
	for text, want := range map[string]string{"": "00:00 Ada: " + files, "look": "00:00 Ada: look\n      " + files} {
		entry.Text = text
		if got := string(plaintext.AppendEntry(nil, "lobby", &entry)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestAudit(t *testing.T) {
	t.Parallel()
	bob := streams.User{ID: "b", Name: "Bob"}
	for want, entry := range map[string]streams.Entry{
		"created an invite":                              {Action: protocol.ActionInvite, Role: streams.Ordinary},
		"created an invite for an owner":                 {Action: protocol.ActionInvite, Role: "owner"},
		"created an invite to #lobby":                    {Action: protocol.ActionInvite, Room: "lobby", Role: streams.Ordinary},
		"made Bob a moderator of the server":             {Action: protocol.ActionRole, Member: bob, Role: streams.RoomModerator},
		"banned Bob: spam":                               {Action: protocol.ActionBan, Member: bob, Reason: "spam"},
		"muted Bob in #lobby until 1970-01-01 00:00 UTC": {Action: protocol.ActionMute, Member: bob, Room: "lobby", MutedUntil: time.Unix(0, 0)},
		"deleted a private room":                         {Action: protocol.ActionDeleteRoom},
		"performed the action something new":             {Action: "something new"},
	} {
		if got := plaintext.Audit(&entry); got != want {
			t.Errorf("Audit(%+v) = %q, want %q", entry, got, want)
		}
	}
}

func TestChange(t *testing.T) {
	t.Parallel()
	ada, bob := streams.User{ID: "1", Name: "Ada"}, streams.User{ID: "2", Name: "Bob"}
	ninth := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	for want, entry := range map[string]streams.Entry{
		`Ada created the room "Launch"`:                                 {Number: 1, Kind: streams.SettingsChanged, Settings: streams.Settings{Title: "Launch"}},
		`Ada created the room`:                                          {Number: 1, Kind: streams.SettingsChanged},
		`Ada changed the settings of the room: locked, titled "Launch"`: {Number: 2, Kind: streams.SettingsChanged, Settings: streams.Settings{Title: "Launch", Locked: true}},
		`Ada became a moderator`:                                        {Kind: streams.MemberChanged, Member: ada, Role: streams.RoomModerator},
		`Ada made Bob a moderator`:                                      {Kind: streams.MemberChanged, Member: bob, Role: streams.RoomModerator},
		`Ada muted Bob until 2026-12-01 09:00 UTC`:                      {Kind: streams.MemberChanged, Member: bob, Role: streams.Ordinary, MutedUntil: ninth},
		`Ada muted Bob`:                                                 {Kind: streams.MemberChanged, Member: bob, Role: streams.Ordinary, MutedUntil: ninth.AddDate(100, 0, 0)},
		`Ada joined`:                                                    {Kind: streams.MemberChanged, Member: ada, Role: streams.Ordinary},
		`Ada left`:                                                      {Kind: streams.MemberChanged, Member: ada, Role: streams.NoRole},
	} {
		entry.User = ada
		if got := plaintext.Change(&entry); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
