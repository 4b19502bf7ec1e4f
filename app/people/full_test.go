//go:build unix

package people_test

import (
	"net/http"
	"strings"
	"testing"

	"burble/app/apptest"
)

// A person who fills Redis can still be banned, and everything else is refused with a clear error.
func TestPeopleWhileRedisIsFull(t *testing.T) {
	t.Parallel()
	team := startTeam(t)
	target, leaver := team.owner.invite("Target"), team.owner.invite("Leo")
	apptest.SetMaxMemory(t, team.redis, "1")
	for _, refused := range []struct {
		by                 *person
		method, path, body string
	}{
		{team.member, "POST", "/me", `{"name":"Robert"}`},
		{team.owner, "POST", "/invites", "{}"},
		{team.member, "POST", "/people/" + team.member.ID + "/link", ""},
		{team.owner, "PUT", "/people/" + team.member.ID + "/role", `{"role":"moderator"}`},
		{team.owner, "POST", "/rooms", `{"kind":"private","title":"Launch"}`},
	} {
		got := refused.by.do(refused.method, refused.path, refused.body, http.StatusInsufficientStorage)
		if !strings.Contains(got, `"code":"full"`) {
			t.Errorf("%s %s: got %s, want the code full", refused.method, refused.path, got)
		}
	}
	team.mod.do("PUT", "/people/"+target.ID+"/ban", `{"reason":"spam"}`, http.StatusNoContent)
	target.eventually("the banned person is refused", "GET", "/people", http.StatusForbidden)
	team.mod.do("DELETE", "/people/"+team.member.ID+"/sessions", "", http.StatusNoContent)
	team.member.eventually("the session is refused", "GET", "/people", http.StatusForbidden)
	team.owner.do("PUT", "/people/"+team.mod.ID+"/role", `{"role":"member"}`, http.StatusNoContent)
	leaver.do("POST", "/sign-out", "", http.StatusNoContent)
	leaver.eventually("the session is refused", "GET", "/people", http.StatusForbidden)
}
