//go:build unix

package people_test

import (
	"cmp"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/throttle"
)

func TestEveryRoleHasOnlyItsRights(t *testing.T) {
	t.Parallel()
	team := startTeam(t)
	guest := signIn(t, team.server, "/session", `{"name":"Gus"}`, http.StatusOK)
	visitor := &person{T: t, server: team.server}
	const yes, no = http.StatusNoContent, http.StatusForbidden
	tests := []struct {
		method, path, body                       string
		visitor, guest, member, moderator, owner int
	}{
		{"GET", "/people", "", no, no, 200, 200, 200},
		{"GET", "/me/sessions", "", no, no, 200, 200, 200},
		{"GET", "/invites", "", no, no, 200, 200, 200},
		{"POST", "/invites", "{}", no, no, no, 201, 201},
		{"POST", "/invites", `{"room":"lobby"}`, no, no, no, 201, 201},
		{"POST", "/invites", `{"role":"moderator"}`, no, no, no, no, 201},
		{"POST", "/invites", `{"role":"owner"}`, no, no, no, no, 201},
		{"GET", "/audit", "", no, no, no, 200, 200},
		{"POST", "/people/{target}/link", "", no, no, no, 201, 201},
		{"DELETE", "/people/{target}/sessions", "", no, no, no, yes, yes},
		{"PUT", "/people/{target}/role", `{"role":"member"}`, no, no, no, no, yes},
		{"PUT", "/people/{target}/ban", `{"reason":"spam"}`, no, no, no, yes, yes},
		{"DELETE", "/people/{target}/ban", "", no, no, no, yes, yes},
		{"PUT", "/people/{unknown}/role", `{"role":"member"}`, no, no, no, no, 404},
		{"POST", "/people/{unknown}/link", "", no, no, no, 404, 404},
		{"PUT", "/people/" + team.owner.ID + "/ban", "{}", no, no, no, no, no},
		{"POST", "/people/" + team.owner.ID + "/link", "", no, no, no, no, 201},
		{"PUT", "/people/" + team.owner.ID + "/role", `{"role":"member"}`, no, no, no, no, no}, // the last owner
	}
	for _, test := range tests {
		for _, one := range []struct {
			by     *person
			status int
		}{{visitor, test.visitor}, {guest, test.guest}, {team.member, test.member}, {team.mod, test.moderator}, {team.owner, test.owner}} {
			path := test.path
			if before, after, found := strings.Cut(path, "{target}"); found {
				path = before + team.owner.invite("Target").ID + after
			}
			path = strings.Replace(path, "{unknown}", "5d0f61a4-8a1e-4d7c-9f0a-3b1f2c4d5e6f", 1)
			one.by.do(test.method, path, test.body, one.status)
		}
	}
}

func TestInvalidRequestsAboutPeople(t *testing.T) {
	t.Parallel()
	team := startTeam(t)
	for _, test := range []struct{ method, path, body string }{
		{"POST", "/invites", `{"uses":"0"}`}, {"POST", "/invites", `{"uses":"1001"}`}, {"POST", "/invites", `{"uses":"x"}`}, {"POST", "/invites", `{"uses":1001}`}, {"POST", "/invites", `{"uses":1.5}`}, {"POST", "/invites", `{"uses":null}`},
		{"POST", "/invites", `{"expires_in":"0d"}`}, {"POST", "/invites", `{"expires_in":"91d"}`}, {"POST", "/invites", `{"expires_in":"-1h"}`},
		{"POST", "/invites", `{"role":"king"}`}, {"POST", "/invites", `{"room":"lobby","role":"moderator"}`}, {"POST", "/invites", `{"room":"No room"}`},
		{"POST", "/invites", `{"colour":"red"}`}, {"PUT", "/people/" + team.member.ID + "/role", `{"role":""}`}, {"PUT", "/people/x/role", `{"role":"member"}`},
		{"GET", "/people?limit=501", ""}, {"GET", "/people?skip=-1", ""}, {"GET", "/audit?before=x", ""}, {"POST", "/me/leave", "{}"}, {"POST", "/me", `{"name":""}`},
	} {
		team.owner.do(test.method, test.path, test.body, http.StatusBadRequest)
	}
	team.owner.do("PUT", "/people/"+team.member.ID+"/ban", `{"reason":"`+strings.Repeat("x", 201)+`"}`, http.StatusRequestEntityTooLarge)
	for _, uses := range []string{`5`, `"5"`} {
		team.owner.do("POST", "/invites", `{"uses":`+uses+`,"expires_in":"7d"}`, http.StatusCreated)
	}
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	team := startTeam(t)
	var others []*person
	for range 3 {
		made := decode[struct{ URL string }](t, team.member.do("POST", "/people/"+team.member.ID+"/link", "", http.StatusCreated))
		target, err := url.Parse(made.URL)
		if err != nil {
			t.Fatal(err)
		}
		others = append(others, signIn(t, team.server, target.Path, "", http.StatusOK))
	}
	type session struct {
		ID, Device string
		Current    bool
		LastUsed   string `json:"last_used"`
	}
	list := decode[[]session](t, team.member.do("GET", "/me/sessions", "", http.StatusOK))
	if len(list) != 4 || list[0].LastUsed != time.Now().UTC().Format(time.DateOnly) || list[0].Device != "Go-http-client" {
		t.Fatalf("got sessions %+v, want 4, the first used today by Go-http-client", list)
	}
	for _, one := range decode[[]session](t, others[0].do("GET", "/me/sessions", "", http.StatusOK)) {
		if one.Current {
			team.member.do("DELETE", "/me/sessions/"+one.ID, "", http.StatusNoContent)
		}
	}
	others[0].eventually("one session ends", "GET", "/people", http.StatusForbidden)
	others[1].do("GET", "/people", "", http.StatusOK)
	stranger := team.owner.invite("Eve")
	stranger.do("DELETE", "/me/sessions/"+list[0].ID, "", http.StatusNoContent) // not hers, so nothing happens
	team.member.do("DELETE", "/me/sessions", "", http.StatusNoContent)
	for _, other := range others[1:] {
		other.eventually("the other sessions end", "GET", "/people", http.StatusForbidden)
	}
	if list := decode[[]session](t, team.member.do("GET", "/me/sessions", "", http.StatusOK)); len(list) != 1 || !list[0].Current {
		t.Errorf("got sessions %+v, want only the current one", list)
	}
	team.mod.do("DELETE", "/people/"+team.member.ID+"/sessions", "", http.StatusNoContent)
	team.member.eventually("a moderator ends the sessions", "GET", "/people", http.StatusForbidden)
}

func TestBannedPersonIsRefused(t *testing.T) {
	t.Parallel()
	team := startTeam(t)
	guest := signIn(t, team.server, "/session", `{"name":"Gus"}`, http.StatusOK)
	for _, one := range []*person{team.member, guest} {
		team.mod.do("PUT", "/people/"+one.ID+"/ban", `{"reason":"spam"}`, http.StatusNoContent)
		one.eventually("the ban", "GET", "/rooms", http.StatusForbidden)
		team.mod.do("DELETE", "/people/"+one.ID+"/ban", "", http.StatusNoContent)
	}
	guest.eventually("the end of the ban", "GET", "/rooms", http.StatusOK)
	team.mod.do("PUT", "/people/"+team.member.ID+"/ban", "{}", http.StatusNoContent)
	people := team.mod.do("GET", "/people", "", http.StatusOK)
	if !strings.Contains(people, `"banned":true`) {
		t.Errorf("a moderator does not see the ban: %s", people)
	}
	if people := team.owner.invite("Eve").do("GET", "/people", "", http.StatusOK); strings.Contains(people, "banned") {
		t.Errorf("a member sees the ban: %s", people)
	}
}

func TestBannedPersonSeesWhy(t *testing.T) {
	t.Parallel()
	team := startTeam(t)
	guest := signIn(t, team.server, "/session", `{"name":"Gus"}`, http.StatusOK)
	for _, one := range []*person{team.member, guest} {
		team.mod.do("PUT", "/people/"+one.ID+"/ban", `{"reason":"spam"}`, http.StatusNoContent)
		one.eventually("the ban", "GET", "/rooms", http.StatusForbidden)
		nobody := &person{T: t, server: team.server}
		var first string
		for _, path := range []string{"/", "/r/lobby", "/r/paaaaaaaaaaaaaaaaaaaa"} {
			page := nobody.do("GET", path, "", http.StatusForbidden, "Cookie", "burble="+one.Token, "Accept", "text/html")
			if !strings.Contains(page, "You are banned from this server") || strings.Contains(page, "spam") || strings.Contains(page, "Max") {
				t.Errorf("got the page %s, want it to say that the person is banned, without the reason and the moderator's name", page)
			}
			if first = cmp.Or(first, page); page != first {
				t.Errorf("%s differs from the other pages: %s", path, page)
			}
		}
	}
}

func TestLeavingRemovesTheAccount(t *testing.T) {
	t.Parallel()
	team := startTeam(t)
	team.owner.do("POST", "/me/leave", `{"confirm":"true"}`, http.StatusForbidden) // the last owner
	team.member.do("POST", "/me/leave", `{"confirm":"true"}`, http.StatusNoContent)
	team.member.eventually("the account is gone", "GET", "/people", http.StatusForbidden)
	if people := team.owner.do("GET", "/people", "", http.StatusOK); strings.Contains(people, "Bob") {
		t.Errorf("the account is still listed: %s", people)
	}
	team.owner.do("PUT", "/people/"+team.mod.ID+"/role", `{"role":"owner"}`, http.StatusNoContent)
	team.owner.do("POST", "/me/leave", `{"confirm":"true"}`, http.StatusNoContent)
}

func TestAuditReadsLikeARoom(t *testing.T) {
	t.Parallel()
	team := startTeam(t)
	team.mod.do("PUT", "/people/"+team.member.ID+"/ban", `{"reason":"spam"}`, http.StatusNoContent)
	for _, test := range []struct {
		by     *person
		status int
	}{{team.owner.invite("Eve"), http.StatusNotFound}, {&person{T: t, server: team.server}, http.StatusNotFound}} {
		test.by.do("GET", "/audit/events", "", test.status)
		test.by.do("GET", "/r/_audit/messages", "", http.StatusBadRequest)
	}
	for accept, want := range map[string]string{
		"text/plain": "Max banned Bob: spam", "application/x-ndjson": `"action":"ban"`, "text/event-stream": `"action":"ban"`,
	} {
		stream, err := team.server.Client(team.owner.Token).OpenStream(t.Context(), "/audit/events", "Accept: "+accept)
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		for line := ""; !strings.Contains(line, want); {
			if line, err = stream.Line(); err != nil {
				t.Fatalf("%s: %v before %q", accept, err, want)
			}
		}
		team.mod.do("DELETE", "/people/"+team.member.ID+"/sessions", "", http.StatusNoContent)
		for line := ""; !strings.Contains(line, "sign_out") && !strings.Contains(line, "signed Bob out"); {
			if line, err = stream.Line(); err != nil {
				t.Fatalf("%s: %v before the new entry", accept, err)
			}
		}
	}
	list := decode[[]struct {
		Action, Reason string
		User, Member   struct{ Name string }
	}](t, team.mod.do("GET", "/audit", "", http.StatusOK))
	if last := list[3]; last.Action != "join" || last.User.Name != "Eve" || last.Member.Name != "Olga" {
		t.Errorf("got the entry %+v, want that Eve accepted Olga's invite", last)
	}
	var actions []string
	for _, entry := range list {
		actions = append(actions, entry.Action)
	}
	if got := strings.Join(actions, " "); got != "sign_out sign_out sign_out join invite ban role join invite join invite role" {
		t.Errorf("got actions %q, want each change once, newest first", got)
	}
}

func TestCommandsPrintLinks(t *testing.T) {
	t.Parallel()
	team := startTeam(t, "ORIGINS=https://chat.example.org")
	run := func(args ...string) (output string, err error) {
		command := exec.Command(apptest.Program(t), args...)
		command.Env = append(team.server.Env, "GO_ENV=test")
		text, err := command.CombinedOutput()
		return strings.TrimSpace(string(text)), err
	}
	path := func(args ...string) string {
		t.Helper()
		output, err := run(args...)
		path, ok := strings.CutPrefix(output, "https://chat.example.org")
		if err != nil || !ok || strings.Contains(path, "\n") {
			t.Fatalf("%v: got %q, %v, want only a link", args, output, err)
		}
		return path
	}
	_, code, _ := strings.Cut(path("owner"), "code=")
	second := signIn(t, team.server, "/setup", `{"code":"`+code+`","name":"Otto"}`, http.StatusCreated)
	if people := second.do("GET", "/people", "", http.StatusOK); strings.Count(people, `"owner"`) != 2 {
		t.Errorf("got people %s, want two owners", people)
	}
	signIn(t, team.server, path("invite", "-uses", "2", "-expires-in", "1d"), `{"name":"Ivy"}`, http.StatusOK)
	if again := signIn(t, team.server, path("link", team.member.ID), "", http.StatusOK); again.ID != team.member.ID {
		t.Errorf("the link signs in %s, want %s", again.ID, team.member.ID)
	}
	if audit := team.owner.do("GET", "/audit", "", http.StatusOK); strings.Count(audit, `"name":"The operator"`) < 3 {
		t.Errorf("the audit lacks actions of the operator: %s", audit)
	}
	for _, args := range [][]string{{"link"}, {"link", "x"}, {"owner", "x"}, {"invite", "-uses", "0"}, {"invite", "-role", "king"}, {"owner", "-redis-url", ""}} {
		if output, err := run(args...); err == nil || strings.Contains(output, "https://chat.example.org/") {
			t.Errorf("%v: got %q, want an error", args, output)
		}
	}
}

func TestInvitesOfOneAddressAreLimited(t *testing.T) {
	t.Parallel()
	team := startTeam(t, "RATE_ADDRESS=1000")
	for range 2 * throttle.SignInBurst {
		status, _ := team.server.Do(http.MethodPost, "/invites", "{}", "Authorization", "Bearer "+team.owner.Token, "Content-Type", "application/json")
		if status == http.StatusTooManyRequests {
			return
		}
	}
	t.Errorf("more than %d invites were created without reaching the limit", throttle.SignInBurst)
}

// Every account may revoke its own invites, so a request that revokes nothing must not reach the audit log.
func TestOnlyRevokedInvitesAreAudited(t *testing.T) {
	t.Parallel()
	team := startTeam(t)
	revoked := func() int {
		return strings.Count(string(team.owner.do("GET", "/audit", "", http.StatusOK)), `"action":"revoke_invite"`)
	}
	team.member.do("DELETE", "/invites/AAAAAAAAAAAAAAAA", "", http.StatusNoContent)
	if got := revoked(); got != 0 {
		t.Errorf("got %d entries for an invite that does not exist, want none", got)
	}
	invite := decode[struct{ ID string }](t, team.owner.do("POST", "/invites", "", http.StatusCreated))
	team.owner.do("DELETE", "/invites/"+invite.ID, "", http.StatusNoContent)
	if got := revoked(); got != 1 {
		t.Errorf("got %d entries for one revoked invite, want 1", got)
	}
}
