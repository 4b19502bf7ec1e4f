package views

import (
	"strings"
	"testing"
)

// An impersonator may use another person's name, so pages that grant rights must show which person is which.
func TestListsOfPeopleDistinguishLookAlikeNames(t *testing.T) {
	t.Parallel()
	ada, impostor := User{ID: "5d0f61a4-8a1e-4d7c-9f0a-3b1f2c4d5e6f", Name: "Ada"}, User{ID: "c3a1e0b2-8a1e-4d7c-9f0a-3b1f2c4d5e6f", Name: "Ad\u0430"}
	both := []User{ada, impostor}
	for name, model := range map[string]any{
		"home":           Home{Page: Page{User: &ada, HasAccount: true}, People: both},
		"people":         People{People: []Person{{User: ada, Role: "owner"}, {User: impostor, Role: "member"}}},
		"members":        Members{Kind: "private", MayInvite: true, Rows: []MemberRow{{User: ada}, {User: impostor}}},
		"members to add": Members{Kind: "private", MayInvite: true, People: both},
	} {
		template, _, _ := strings.Cut(name, " ")
		page := render(t, template, model)
		for _, tag := range []string{"\u00b75d0f", "\u00b7c3a1"} {
			if !strings.Contains(page, tag) {
				t.Errorf("%s: got a page without the tag %q, want the tags of both people", name, tag)
			}
		}
	}
}
