package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"burble/app/accounts"
	"burble/app/apptest"
	"burble/app/client"
	"burble/app/identity"
	"burble/streams"
	"burble/streams/redistest"
)

// rightsRow is a row of the table of rights in PROTOCOL.md.
type rightsRow struct {
	kind, who string
	may       []string
}

func rightsTable(t *testing.T) (rows []rightsRow) {
	t.Helper()
	for line := range strings.Lines(apptest.ReadDoc(t, "PROTOCOL.md")) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if len(cells) == 3 && slices.Contains([]string{"public", "private", "direct"}, cells[0]) && strings.HasPrefix(cells[2]+",", "read,") || len(cells) == 3 && cells[2] == "nothing" {
			rows = append(rows, rightsRow{cells[0], cells[1], strings.Split(cells[2], ", ")})
		}
	}
	return rows
}

// stage is a room with everything that an actor may act on.
type stage struct {
	*testServer
	actor                         testUser
	room                          string
	victim, creator, invitee      testUser
	socket                        *testSocket
	isRefused                     bool   // the server accepts no socket of the actor
	ofFile                        string // a message with a file
	ofActor, ofVictim, ofReaction string // separate messages, because a deletion must not end the test of another action
}

// An action is something that an actor may try to do. The functions in do try it on one surface each, and return 200 or
// the status of the refusal.
type action struct {
	name string
	do   map[string]func(p *stage) int // by surface
}

func (p *stage) json(method, path, body string) int {
	headers := []string{"Content-Type: " + jsonType}
	if p.actor.Token != "" {
		headers = append(headers, p.actor.bearer())
	}
	return success(p.request(method, path, body, headers...).status)
}

func (p *stage) form(path string, fields ...string) int {
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return success(p.postForm(path, form.Encode(), "Cookie: burble="+p.actor.Token, "Origin: http://"+p.host, "Accept: text/html").status)
}

// success maps all statuses of success to 200.
func success(status int) int {
	if status < 400 {
		return http.StatusOK
	}
	return status
}

// frame sends a frame over the actor's WebSocket.
func (p *stage) frame(format string, args ...any) int {
	if p.isRefused {
		return http.StatusForbidden
	}
	p.socket.sendf(format, args...)
	for {
		switch got := p.socket.nextFrame("a reply").Frame.(type) {
		case *client.Stored, *client.Followed:
			return http.StatusOK
		case *client.Error:
			return map[string]int{"not_found": 404, "not_allowed": 403, "not_yours": 403}[got.Code]
		}
	}
}

// amend returns an action that stores an entry with a frame, over a WebSocket and over HTTP.
func amend(name, fields string, of func(p *stage) string) action {
	frame := func(p *stage) string {
		return fmt.Sprintf(`{"room":%q,"key":%q,%s}`, p.room, client.NewKey(), strings.ReplaceAll(fields, "OF", of(p)))
	}
	return action{name, map[string]func(p *stage) int{
		"WebSocket": func(p *stage) int { return p.frame("%s", frame(p)) },
		"JSON":      func(p *stage) int { return p.json("POST", "/r/"+p.room+"/frames", frame(p)) },
	}}
}

// change returns an action that manages the room with JSON, and with a form.
func change(name, method, path, body, formPath string, fields ...string) action {
	replace := func(p *stage, text string) string {
		return strings.NewReplacer("VICTIM", p.victim.ID, "INVITEE", p.invitee.ID, "ROOM", p.room).Replace(text)
	}
	return action{name, map[string]func(p *stage) int{
		"JSON": func(p *stage) int { return p.json(method, "/r/"+p.room+replace(p, path), body) },
		"form": func(p *stage) int {
			var values []string
			for _, field := range fields {
				values = append(values, replace(p, field))
			}
			return p.form("/r/"+p.room+formPath, values...)
		},
	}}
}

// actions are ordered so that each leaves the stage as the later ones need it.
var actions = []action{
	{"read", map[string]func(p *stage) int{
		"WebSocket": func(p *stage) int { return p.frame(`{"type":"follow","room":%q,"last":0}`, p.room) },
		"JSON":      func(p *stage) int { return p.json("GET", "/r/"+p.room+"/messages", "") },
		"form": func(p *stage) int {
			got := p.get("/r/"+p.room, "Cookie: burble="+p.actor.Token, "Accept: text/html").status
			if got == http.StatusSeeOther { // to the page for signing in
				return http.StatusForbidden
			}
			return got
		},
		"files": func(p *stage) int { return p.json("GET", "/f/"+p.room+"/"+p.ofFile+"/0", "") },
	}},
	{"write", map[string]func(p *stage) int{
		"WebSocket": func(p *stage) int {
			return p.frame(`{"type":"send","room":%q,"key":%q,"text":"hi"}`, p.room, client.NewKey())
		},
		"JSON":  func(p *stage) int { return p.json("POST", "/r/"+p.room+"/messages", `{"text":"hi"}`) },
		"form":  func(p *stage) int { return p.form("/r/"+p.room+"/messages", "text", "hi") },
		"files": func(p *stage) int { return p.json("POST", "/r/"+p.room+"/files", "hi") },
	}},
	amend("topic", `"type":"topic","text":"tea"`, func(*stage) string { return "" }),
	amend("react", `"type":"react","of":"OF","emoji":"👍","on":true`, func(p *stage) string { return p.ofReaction }),
	amend("edit", `"type":"edit","of":"OF","text":"again"`, func(p *stage) string { return p.ofActor }),
	amend("delete", `"type":"delete","of":"OF"`, func(p *stage) string { return p.ofActor }),
	amend("delete others", `"type":"delete","of":"OF"`, func(p *stage) string { return p.ofVictim }),
	change("add", "PUT", "/members/INVITEE", "", "/members", "action", "add", "user", "INVITEE"),
	change("mute", "PUT", "/members/VICTIM", `{"muted_until":"2099-01-01T00:00:00Z"}`, "/members", "action", "mute", "user", "VICTIM", "mute", "1h"),
	change("promote", "PUT", "/members/INVITEE", `{"role":"moderator"}`, "/members", "action", "promote", "user", "INVITEE"),
	change("remove", "DELETE", "/members/VICTIM", "", "/members", "action", "remove", "user", "VICTIM"),
	change("title", "PATCH", "", `{"title":"New"}`, "/settings", "title", "New"),
	change("lock", "PATCH", "", `{"locked":true}`, "/settings", "title", "New", "locked", "on"),
	change("archive", "PATCH", "", `{"archived":true}`, "/settings", "title", "New", "archived", "on"),
	change("delete room", "DELETE", "", "", "/delete", "confirm", "ROOM"),
}

// publicRooms counts the public rooms of the tests, to give each a different name.
var publicRooms atomic.Int64

// cast are the people of a server, by their part in the test.
type cast map[string]testUser

// get returns the person who plays the part. The first call for a part creates an account.
func (c cast) get(s *testServer, part string, role accounts.Role) testUser {
	if c[part].Token == "" {
		c[part] = s.newAccount(part, role)
	}
	return c[part]
}

// prepare creates a room in which the actor has the role.
func (s *testServer) prepare(t *testing.T, people cast, kind, who string) *stage {
	p := &stage{testServer: s.with(t)}
	if kind == "direct" {
		delete(people, "victim") // the same people would share one direct room
	}
	if who == "banned" {
		delete(people, who)
	}
	p.victim, p.creator, p.invitee = people.get(s, "victim", accounts.Member), people.get(s, "creator", accounts.Member), people.get(s, "invitee", accounts.Member)
	switch {
	case who == "visitor":
	case who == "guest":
		guest, _ := identity.NewUser("Guest")
		p.actor = testUser{client.User{ID: guest.ID, Name: guest.Name}, s.tokens.Sign(guest, time.Now())}
	case strings.HasPrefix(who, "server moderator"):
		p.actor = people.get(s, who, accounts.Moderator)
	case strings.HasPrefix(who, "owner"):
		p.actor = people.get(s, who, accounts.Owner)
	default:
		p.actor = people.get(s, who, accounts.Member)
	}
	if who == "room moderator" {
		p.creator = p.actor
	}
	isMember := strings.Contains(who, "member") || who == "room moderator" || who == "banned"
	p.createRoom(kind, isMember && who != "room moderator")
	post := func(by testUser) (id string) {
		var stored posted
		p.manage(by, "POST", "/r/"+p.room+"/messages", `{"text":"hello"}`, http.StatusCreated).decode(t, &stored)
		return stored.ID
	}
	p.ofVictim, p.ofReaction = post(p.victim), post(p.victim)
	p.ofActor = post(p.victim)
	p.ofFile = p.sendFiles(p.room, p.victim, p.uploadTo(p.room, p.victim, "x", "hello"))
	if isMember || kind == "public" && p.actor.Token != "" && (who != "guest" || s.options.Mode == streams.Anyone) {
		p.ofActor = post(p.actor)
	}
	if strings.HasPrefix(who, "muted") {
		p.manage(p.creator, "PUT", "/r/"+p.room+"/members/"+p.actor.ID, `{"muted_until":"2099-01-01T00:00:00Z"}`, http.StatusOK)
	}
	if who == "banned" {
		if err := s.accounts.Ban(t.Context(), accounts.Operator, p.actor.ID, "spam"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the server knows about the ban", func() bool { return p.json("GET", "/rooms", "") == http.StatusForbidden })
	}
	var headers []string
	if p.actor.Token != "" {
		headers = []string{p.actor.bearer()}
	}
	socket, refused := p.dial(headers...)
	if p.socket, p.isRefused = socket, refused != nil; refused == nil {
		await[*client.Hello](p.socket)
	}
	return p
}

func (p *stage) createRoom(kind string, withActor bool) {
	switch kind {
	case "public":
		p.room = fmt.Sprint("room-", publicRooms.Add(1))
		p.newRoom(p.creator, `{"kind":"public","room":"`+p.room+`"}`)
		// Muting adds the victim to the list of members.
		p.manage(p.creator, "PUT", "/r/"+p.room+"/members/"+p.victim.ID, `{"muted_until":"2099-01-01T00:00:00Z"}`, http.StatusOK)
		p.manage(p.creator, "PUT", "/r/"+p.room+"/members/"+p.victim.ID, `{}`, http.StatusOK)
	case "private":
		if p.room = p.newPrivateRoom(p.creator, p.victim); withActor {
			p.room = p.newPrivateRoom(p.creator, p.victim, p.actor)
		}
	case "direct":
		ids := []string{quote(p.victim.ID)}
		if withActor {
			ids = append(ids, quote(p.actor.ID))
		}
		p.room = p.newRoom(p.creator, `{"kind":"direct","members":[`+strings.Join(ids, ",")+`]}`)
	}
}

// want returns the status that the table promises.
func (r *rightsRow) want(surface, action string, mode streams.Mode) int {
	may := r.may
	if r.who == "visitor" || r.who == "guest" {
		switch {
		case mode == streams.AccountsOnly:
			return http.StatusForbidden
		case mode == streams.AccountsPost && r.kind == "public":
			may = []string{"read"}
		}
	}
	switch {
	case slices.Contains(may, action):
		return http.StatusOK
	case r.who == "visitor" && action != "read": // choose a name first
	case may[0] == "nothing" && r.who != "banned":
		return http.StatusNotFound
	}
	return http.StatusForbidden
}

func TestRightsOfEveryRoleOnEverySurface(t *testing.T) {
	t.Parallel()
	table := rightsTable(t)
	for _, kind := range []string{"private", "direct"} {
		table = append(table, rightsRow{kind, "banned", []string{"nothing"}})
	}
	if len(table) < 27 {
		t.Fatalf("PROTOCOL.md has %d rows of rights, want at least 25", len(table)-2)
	}
	for name, mode := range map[string]streams.Mode{"open": streams.Anyone, "read": streams.AccountsPost, "members": streams.AccountsOnly} {
		t.Run(name, func(t *testing.T) {
			if mode != streams.AccountsOnly {
				redistest.SkipUnlessLong(t)
			}
			t.Parallel()
			at := newMiniredis(t)
			if mode != streams.AccountsOnly {
				// These modes run only with CI=true, so Redis is installed. Under the race detector, it is faster than miniredis.
				at = redistest.Start(t).Redis()
			}
			s := startServer(t, at, withFiles(t), func(set *settings) { set.Mode = mode })
			cells, people := 0, cast{}
			for _, row := range table {
				for _, surface := range []string{"WebSocket", "JSON", "form", "files"} {
					p := s.prepare(t, people, row.kind, row.who)
					for _, action := range actions {
						do := action.do[surface]
						if do == nil {
							continue
						}
						cells++
						want := row.want(surface, action.name, mode)
						if got := do(p); got != want {
							t.Errorf("%s by %s in a %s room, %s: got status %d, want %d", action.name, row.who, row.kind, surface, got, want)
						}
					}
				}
			}
			if t.Logf("%d cells", cells); cells < 700 {
				t.Errorf("tried %d cells, want at least 700", cells)
			}
		})
	}
}
