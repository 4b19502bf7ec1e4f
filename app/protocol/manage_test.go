package protocol

import (
	"errors"
	"strings"
	"testing"
	"time"

	"burble/app/rawjson"
)

// managementRequests are requests, each with the code and the field of the error that its parser must return.
var managementRequests = []struct {
	parser, body string
	code         Code
	field        string
}{
	{"room", `{"kind":"public","room":"launch"}`, "", ""},
	{"room", `{"kind":"public","room":"launch","title":"` + strings.Repeat("é", MaxTitle) + `"}`, "", ""},
	{"room", `{"kind":"private","title":"Launch","members":[` + aUser + `]}`, "", ""},
	{"room", `{"kind":"direct","members":[` + aUser + `]}`, "", ""},
	{"room", `{}`, BadField, "kind"},
	{"room", `{"kind":"secret"}`, BadField, "kind"},
	{"room", `{"kind":"public"}`, BadField, "room"},
	{"room", `{"kind":"public","room":"No"}`, BadRoom, "room"},
	{"room", `{"kind":"public","room":"launch","members":[]}`, BadField, "members"},
	{"room", `{"kind":"public","room":"launch","title":"` + strings.Repeat("é", MaxTitle+1) + `"}`, TooLong, "title"},
	{"room", `{"kind":"public","room":"launch","key":"1"}`, BadField, "key"},
	{"room", `{"kind":"private"}`, BadField, "title"},
	{"room", `{"kind":"private","title":" "}`, BadField, "title"},
	{"room", `{"kind":"private","title":"\u200b"}`, BadField, "title"},
	{"room", `{"kind":"private","title":"Launch","room":"launch"}`, BadField, "room"},
	{"room", `{"kind":"private","title":"Launch","members":"Ada"}`, BadField, "members"},
	{"room", `{"kind":"private","title":"Launch","members":null}`, BadField, "members"},
	{"room", `{"kind":"private","title":"Launch","members":["Ada"]}`, BadField, "members"},
	{"room", `{"kind":"direct","title":"Us","members":[` + aUser + `]}`, BadField, "title"},
	{"room", `{"kind":"direct","members":[` + aUser + strings.Repeat(","+aUser, MaxMembers) + `]}`, BadField, "members"},
	{"settings", `{"title":""}`, "", ""},
	{"settings", `{"locked":true,"archived":false}`, "", ""},
	{"settings", `{}`, BadField, "title"},
	{"settings", `{"locked":"yes"}`, BadField, "locked"},
	{"settings", `{"topic":"tea"}`, BadField, "topic"},
	{"settings", `{"title":"` + strings.Repeat("é", MaxTitle+1) + `"}`, TooLong, "title"},
	{"settings", `{"title":"Lau\u202ehcn"}`, BadField, "title"},
	{"settings", `{"title":"Launch\u0000"}`, BadField, "title"},
	{"settings", `{"title":"Launch \u2067"}`, BadField, "title"},
	{"settings", `{"title":"\u200fשלום, می\u200cخواهم 👩‍💻"}`, "", ""},
	{"member", `{}`, "", ""},
	{"member", `{"role":"moderator","muted_until":null}`, "", ""},
	{"member", `{"role":"member","muted_until":"2026-03-01T09:00:01Z","reason":"spam"}`, "", ""},
	{"member", `{"role":"none"}`, BadField, "role"},
	{"member", `{"role":1}`, BadField, "role"},
	{"member", `{"muted_until":"tomorrow"}`, BadField, "muted_until"},
	{"member", `{"muted_until":true}`, BadField, "muted_until"},
	{"member", `{"muted_until":"2026-03-01T09:00:00Z"}`, BadField, "muted_until"},
	{"member", `{"reason":"` + strings.Repeat("é", MaxReason+1) + `"}`, TooLong, "reason"},
	{"member", `{"reason":"spam\u001b[2J"}`, BadField, "reason"},
	{"member", `{"muted":true}`, BadField, "muted"},
	{"removal", `{"reason":"spam"}`, "", ""},
	{"removal", `{"role":"member"}`, BadField, "role"},
}

// aUser is the ID of a user, as JSON.
const aUser = `"5d0f61a4-8a1e-4d7c-9f0a-3b1f2c4d5e6f"`

func TestParseManagementRequests(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	parsers := map[string]func(raw map[string]string) error{
		"room":     func(raw map[string]string) error { _, err := ParseNewRoom(raw); return err },
		"settings": func(raw map[string]string) error { _, err := ParseSettings(raw); return err },
		"member":   func(raw map[string]string) error { _, err := ParseMember(raw, now); return err },
		"removal":  func(raw map[string]string) error { _, err := ParseRemoval(raw); return err },
	}
	for _, test := range managementRequests {
		raw, ok := rawjson.Members([]byte(test.body))
		if !ok {
			t.Fatalf("%s is not an object", test.body)
		}
		err := parsers[test.parser](raw)
		refused, _ := errors.AsType[*Error](err)
		if test.code == "" && err != nil {
			t.Errorf("%s %s: got error %v, want none", test.parser, test.body, err)
		} else if test.code != "" && (refused == nil || refused.Code != test.code || refused.Field != test.field) {
			t.Errorf("%s %s: got error %+v, want %s for %q", test.parser, test.body, refused, test.code, test.field)
		}
	}
}
