package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"burble/app/accounts"
	"burble/app/client"
	"burble/app/identity"
	"burble/app/protocol"

	"github.com/google/uuid"
)

// newAccount creates an account with a role, and signs in.
func (s *testServer) newAccount(name string, role accounts.Role) testUser {
	s.t.Helper()
	guest, err := identity.NewUser(name)
	if err != nil {
		s.t.Fatal(err)
	}
	signedIn, err := s.accounts.Upgrade(s.t.Context(), accounts.SignIn{User: guest, Device: "test"})
	if err == nil && role != accounts.Member {
		err = s.accounts.SetRole(s.t.Context(), accounts.Operator, guest.ID, role)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return testUser{client.User{ID: guest.ID, Name: guest.Name}, signedIn.Token}
}

// manage makes a request as the user, and checks the status of the response. The body is JSON or empty.
func (s *testServer) manage(user testUser, method, path, body string, status int) response {
	s.t.Helper()
	headers := []string{"Content-Type: " + jsonType}
	if user.Token != "" {
		headers = append(headers, user.bearer())
	}
	got := s.request(method, path, body, headers...)
	if got.status != status {
		s.t.Fatalf("%s %s %s: got %d %s, want %d", method, path, body, got.status, got.body, status)
	}
	return got
}

// newRoom creates a room and returns its name.
func (s *testServer) newRoom(by testUser, body string) string {
	s.t.Helper()
	var created struct{ Room string }
	s.manage(by, "POST", "/rooms", body, http.StatusCreated).decode(s.t, &created)
	return created.Room
}

// newPrivateRoom creates a private room with members.
func (s *testServer) newPrivateRoom(by testUser, members ...testUser) string {
	s.t.Helper()
	var ids []string
	for _, member := range members {
		ids = append(ids, quote(member.ID))
	}
	return s.newRoom(by, `{"kind":"private","title":"Launch","members":[`+strings.Join(ids, ",")+`]}`)
}

func (s *testServer) members(user testUser, room string) (list []protocol.RoomMember) {
	s.t.Helper()
	s.manage(user, "GET", "/r/"+room+"/members", "", http.StatusOK).decode(s.t, &list)
	return list
}

func TestManageRoomsWithJSON(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	owner := s.newAccount("Olga", accounts.Owner)
	ada, bob, carl := s.newAccount("Ada", accounts.Member), s.newAccount("Bob", accounts.Member), s.newAccount("Carl", accounts.Member)

	s.newRoom(ada, `{"kind":"public","room":"launch","title":"Launch"}`)
	s.manage(bob, "POST", "/rooms", `{"kind":"public","room":"launch"}`, http.StatusConflict).expectRefusal(t, http.StatusConflict, protocol.BadField, "room")
	direct := s.newRoom(ada, `{"kind":"direct","members":["`+bob.ID+`"]}`)
	if again := s.manage(bob, "POST", "/rooms", `{"kind":"direct","members":["`+ada.ID+`"]}`, http.StatusOK); !strings.Contains(again.body, direct) {
		t.Errorf("the same direct room again: %s, want %s", again.body, direct)
	}

	room := s.newPrivateRoom(ada, bob)
	var added struct{ ID, Cursor string }
	s.manage(bob, "PUT", "/r/"+room+"/members/"+carl.ID, "", http.StatusOK).decode(t, &added)
	if added.ID == "" || !strings.HasPrefix(added.Cursor, added.ID+"@") {
		t.Errorf("PUT returned %+v, want an entry ID and its cursor", added)
	}
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	s.manage(ada, "PUT", "/r/"+room+"/members/"+carl.ID, `{"muted_until":"`+until+`"}`, http.StatusOK)
	s.manage(ada, "PATCH", "/r/"+room, `{"title":"Launch, week two","locked":true}`, http.StatusOK)
	got := s.members(carl, room)
	if len(got) != 3 || got[0].User.ID != ada.ID || got[0].Role != "moderator" || got[2].User.Name != "Carl" || got[2].MutedUntil == nil || *got[2].MutedUntil != until || got[2].Since != added.ID {
		t.Errorf("got members %+v, want Ada first, and Carl muted", got)
	}
	rooms := s.get("/rooms", bob.bearer()).body
	for _, want := range []string{`"title":"Launch, week two"`, `"title":"Ada"`, `"room":"launch","title":"Launch"`} {
		if !strings.Contains(rooms, want) {
			t.Errorf("the rooms %s lack %s", rooms, want)
		}
	}
	s.manage(ada, "DELETE", "/r/"+room+"/members/"+carl.ID, `{"reason":"spam"}`, http.StatusOK)
	s.manage(carl, "GET", "/r/"+room+"/members", "", http.StatusNotFound)
	s.manage(bob, "DELETE", "/r/"+room+"/members/"+bob.ID, "", http.StatusOK)
	s.manage(ada, "DELETE", "/r/"+room, "", http.StatusForbidden)
	s.manage(owner, "DELETE", "/r/"+room, "", http.StatusNotFound)
	s.manage(owner, "DELETE", "/r/launch", "", http.StatusNoContent)
	s.manage(owner, "DELETE", "/r/launch", "", http.StatusNotFound)
}

func TestManagementErrors(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada, bob, guest := s.newAccount("Ada", accounts.Member), s.newAccount("Bob", accounts.Member), s.signIn("Guest")
	room, direct := s.newPrivateRoom(ada), s.newRoom(ada, `{"kind":"direct","members":["`+bob.ID+`"]}`)
	past := time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
	for _, test := range []struct {
		user               testUser
		method, path, body string
		status             int
		code               protocol.Code
		field              string
	}{
		{guest, "POST", "/rooms", `{"kind":"private","title":"X"}`, 403, protocol.NotAllowed, ""},
		{anonymous, "POST", "/rooms", `{"kind":"public","room":"x"}`, 403, protocol.NotAllowed, ""},
		{ada, "POST", "/rooms", `{"kind":"private","title":"X","members":["` + guest.ID + `"]}`, 404, protocol.NotFound, "members"},
		{ada, "POST", "/rooms", `[]`, 400, protocol.BadFrame, ""},
		{ada, "POST", "/rooms", `{"kind":"direct","members":[]}`, 400, protocol.BadField, "members"},
		{ada, "PUT", "/r/" + room + "/members/" + bob.ID, `{"role":"owner"}`, 400, protocol.BadField, "role"},
		{ada, "PUT", "/r/" + room + "/members/" + bob.ID, `{"muted_until":"soon"}`, 400, protocol.BadField, "muted_until"},
		{ada, "PUT", "/r/" + room + "/members/" + bob.ID, `{"muted_until":"` + past + `"}`, 400, protocol.BadField, "muted_until"},
		{ada, "PUT", "/r/" + room + "/members/Bob", ``, 400, protocol.BadField, "user"},
		{ada, "PUT", "/r/" + room + "/members/" + uuid.NewString(), ``, 404, protocol.NotFound, "user"},
		{ada, "PUT", "/r/" + room + "/members/" + guest.ID, ``, 404, protocol.NotFound, "user"},
		{ada, "PUT", "/r/No/members/" + bob.ID, ``, 400, protocol.BadRoom, "room"},
		{ada, "PUT", "/r/" + room + "/members/" + bob.ID + "?x=1", ``, 400, protocol.BadField, "x"},
		{ada, "DELETE", "/r/" + room + "/members/" + bob.ID, ``, 404, protocol.NotFound, "user"},
		{ada, "DELETE", "/r/" + room + "/members/" + bob.ID, `{"reason":"` + strings.Repeat("x", protocol.MaxReason+1) + `"}`, 413, protocol.TooLong, "reason"},
		{ada, "PATCH", "/r/" + room, `{"title":"` + strings.Repeat("x", protocol.MaxTitle+1) + `"}`, 413, protocol.TooLong, "title"},
		{ada, "PATCH", "/r/" + room, `{}`, 400, protocol.BadField, "title"},
		{ada, "PATCH", "/r/" + room, `{"title":" "}`, 400, protocol.BadField, "title"},
		{ada, "PATCH", "/r/" + direct, `{"title":"Us"}`, 403, protocol.NotAllowed, ""},
		{ada, "DELETE", "/r/" + direct + "/members/" + ada.ID, ``, 403, protocol.NotAllowed, ""},
		{ada, "PUT", "/r/" + direct + "/members/" + bob.ID, `{"role":"moderator"}`, 403, protocol.NotAllowed, ""},
		{ada, "DELETE", "/people/" + bob.ID + "/messages", ``, 403, protocol.NotAllowed, ""},
		{ada, "PATCH", "/r/never-written", `{"locked":true}`, 403, protocol.NotAllowed, ""},
	} {
		got := s.manage(test.user, test.method, test.path, test.body, test.status)
		t.Run(fmt.Sprintf("%s %s %.60s", test.method, test.path, test.body), func(t *testing.T) {
			got.expectRefusal(t, test.status, test.code, test.field)
		})
	}
}

// sendForm posts a form as the user's browser does, and checks the status of the response.
func (s *testServer) sendForm(user testUser, path string, status int, fields ...string) response {
	s.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	got := s.postForm(path, form.Encode(), "Cookie: burble="+user.Token, "Origin: http://"+s.host, "Accept: text/html")
	if got.status != status {
		s.t.Fatalf("POST %s %v: got %d %s, want %d", path, fields, got.status, got.body, status)
	}
	return got
}

func TestManageRoomsWithForms(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	owner, ada, bob := s.newAccount("Olga", accounts.Owner), s.newAccount("Ada", accounts.Member), s.newAccount("Bob", accounts.Member)
	home := s.get("/", "Cookie: burble="+ada.Token, "Accept: text/html").body
	for _, want := range []string{"New private room", `<option value="` + bob.ID + `">Bob ·` + bob.ID[:4] + `</option>`} {
		if !strings.Contains(home, want) {
			t.Errorf("the home page lacks %s", want)
		}
	}
	at := s.sendForm(ada, "/rooms", http.StatusSeeOther, "kind", "private", "title", "Launch").header.Get("Location")
	room, members := strings.TrimPrefix(at, "/r/"), at+"/members"
	page := func(user testUser) string {
		return s.get(members, "Cookie: burble="+user.Token, "Accept: text/html").body
	}
	do := func(user testUser, action string, status int, fields ...string) {
		t.Helper()
		s.sendForm(user, members, status, append(fields, "action", action)...)
	}
	do(ada, "add", http.StatusSeeOther, "user", bob.ID)
	do(ada, "add", http.StatusSeeOther, "user", owner.ID)
	do(ada, "mute", http.StatusSeeOther, "user", bob.ID, "mute", "1d", "reason", "spam")
	if got := page(ada); !strings.Contains(got, "Muted until") || !strings.Contains(got, "You are the only moderator") {
		t.Errorf("the page lacks the mute, or that Ada is the only moderator: %s", got)
	}
	do(ada, "unmute", http.StatusSeeOther, "user", bob.ID)
	do(owner, "promote", http.StatusSeeOther, "user", bob.ID)
	do(owner, "demote", http.StatusSeeOther, "user", bob.ID)
	s.sendForm(ada, at+"/settings", http.StatusSeeOther, "title", "Week two", "locked", "on")
	if got := page(ada); !strings.Contains(got, `value="Week two"`) || !strings.Contains(got, `name="locked" type="checkbox" checked`) {
		t.Errorf("the page does not show the settings: %s", got)
	}
	if got := s.get(at, "Cookie: burble="+bob.Token, "Accept: text/html").body; !strings.Contains(got, `<h1 translate="no">Week two</h1>`) || strings.Contains(got, "#"+room) {
		t.Error("the room's page lacks the title, or shows the name")
	} else if !strings.Contains(got, `role="status">This room is locked. Only moderators may post.</p>`) {
		t.Errorf("the room's page does not show that it is locked: %s", got)
	}

	if got := s.get(at, "Cookie: burble="+ada.Token, "Accept: text/html").body; !strings.Contains(got, `<p class="change">Ada added Bob</p>`) ||
		!strings.Contains(got, `<p class="change">Ada changed the settings of the room: locked, titled &#34;Week two&#34;</p>`) {
		t.Errorf("the room's page lacks the lines about its changes: %s", got)
	}

	got := s.sendForm(bob, at+"/settings", http.StatusForbidden, "title", "Mine")
	if !strings.Contains(got.body, "Only a moderator of the room may do this.") || !strings.Contains(got.body, "members-heading") {
		t.Errorf("the page after a refused form lacks the reason or the members: %s", got.body)
	}
	do(ada, "fly", http.StatusBadRequest, "user", bob.ID)
	do(ada, "mute", http.StatusBadRequest, "user", bob.ID, "mute", "1y")
	do(ada, "erase", http.StatusSeeOther, "user", bob.ID)
	do(ada, "remove", http.StatusSeeOther, "user", bob.ID)
	do(bob, "leave", http.StatusNotFound)
	do(ada, "leave", http.StatusSeeOther)
	s.sendForm(owner, at+"/delete", http.StatusBadRequest, "confirm", "yes")
	s.sendForm(owner, at+"/delete", http.StatusSeeOther, "confirm", "Week two")
	s.sendForm(owner, at+"/delete", http.StatusNotFound, "confirm", "Week two")

	if got := s.sendForm(ada, "/rooms", http.StatusSeeOther, "kind", "direct", "members", bob.ID, "members", owner.ID).header.Get("Location"); len(s.members(bob, strings.TrimPrefix(got, "/r/"))) != 3 {
		t.Errorf("the form for direct messages redirected to %s, want a room with 3 members", got)
	}
	forged := s.postForm("/rooms", "kind=private&title=X", "Cookie: burble="+ada.Token, "Origin: https://elsewhere.example")
	forged.expectRefusal(t, http.StatusForbidden, protocol.NotAllowed, "origin")
}

// On every live read of a room, a removed member receives the entry of the removal, and then "closed". Deleting the room
// closes its live reads, too.
func TestLiveReadsOfARoomAreClosed(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	owner, ada, bob := s.newAccount("Olga", accounts.Owner), s.newAccount("Ada", accounts.Member), s.newAccount("Bob", accounts.Member)
	room := s.newPrivateRoom(ada, bob, owner)
	c := s.connect(bob)
	c.follow(room, "")
	streams := map[string]*testStream{}
	for _, accept := range []string{"text/event-stream", "application/x-ndjson", "text/plain"} {
		streams[accept] = s.openStream("/r/"+room+"/events?last=0", bob.bearer(), "Accept: "+accept)
	}
	streams["frames"] = s.openStream("/r/"+room+"/frames?last=0", bob.bearer())
	s.manage(ada, "DELETE", "/r/"+room+"/members/"+bob.ID, `{"reason":"spam"}`, http.StatusOK)
	if closed := awaitText[*client.Closed](c); closed != fmt.Sprintf(`{"type":"closed","room":%q,"code":"removed"}`, room) {
		t.Errorf("the socket got %s, want closed with code removed", closed)
	}
	entries := c.entries[room]
	if last := entries[len(entries)-1]; last.Kind != "member" {
		t.Errorf("the last entry is %+v, want the removal", last)
	}
	for format, stream := range streams {
		want := map[string]string{"text/plain": "-- You are no longer a member of this room. --"}[format]
		if want == "" {
			want = `{"type":"closed","room":"` + room + `","code":"removed"}`
		}
		found := false
		for line, err := stream.Line(); err == nil; line, err = stream.Line() {
			found = found || strings.HasSuffix(line, want)
		}
		if !found {
			t.Errorf("%s ended without %s", format, want)
		}
	}
	c.sendf(`{"type":"send","room":%q,"key":%q,"text":"still here"}`, room, client.NewKey())
	if refused := await[*client.Error](c); refused.Code != "not_found" {
		t.Errorf("a removed member got %+v, want not_found", refused)
	}

	c = s.connect(ada)
	c.follow(room, "")
	s.manage(owner, "DELETE", "/r/"+room, "", http.StatusNoContent)
	if closed := awaitText[*client.Closed](c); !strings.Contains(closed, `"code":"deleted"`) {
		t.Errorf("the socket got %s, want closed with code deleted", closed)
	}
}

func TestRemoveEverythingThatAUserWrote(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	mo, guest := s.newAccount("Mo", accounts.Moderator), s.signIn("Spammer")
	for range 3 {
		s.post(guest, "lobby", "spam")
		s.post(guest, "games", "spam")
	}
	s.manage(guest, "DELETE", "/r/lobby/members/"+mo.ID+"/messages", "", http.StatusForbidden)
	s.manage(mo, "DELETE", "/r/lobby/members/"+guest.ID+"/messages", "", http.StatusAccepted)
	left := func(room string) (count int) {
		for _, entry := range s.history(room, "").Entries {
			if !entry.Deleted {
				count++
			}
		}
		return count
	}
	eventually(t, "the lobby has no messages left", func() bool { return left("lobby") == 0 })
	if count := left("games"); count != 3 {
		t.Errorf("another room has %d messages, want 3", count)
	}
	s.manage(mo, "DELETE", "/people/"+guest.ID+"/messages", "", http.StatusAccepted)
	eventually(t, "no room has messages left", func() bool { return left("games") == 0 })
}
