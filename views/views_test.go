package views

import (
	"cmp"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"burble/app/apptest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var (
	ada  = User{ID: "0b9dd3f2-5a53-4a0e-9f0b-0d2a4a3b8f11", Name: "Ada"}
	bob  = User{ID: "7f3c1c9e-8f0d-4f41-8a8e-2b1f6f3f7a52", Name: "Bob"}
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

// pages maps each golden file to its template and model.
var pages = map[string]struct {
	template string
	model    any
}{
	"home":       {"home", Home{Page: page("", &ada), Rooms: []RoomLink{{Name: "lobby", LastActive: noon}, {Name: "empty"}}}},
	"home-first": {"home", Home{Page: pageAfterRefusal("Ada\u200b"), Error: "A name must not contain the invisible character U+200B."}},
	"room": {"room", Room{
		Page: page("#lobby", &ada), Room: "lobby", Messages: conversation(), AsOf: "1740000000095-0@k3x9", Live: true,
		Older: "1740000000010-0", TextLimit: 4000, Origin: "https://chat.example.com",
	}},
	"room-files": {"room", Room{
		Page: page("#lobby", &ada), Room: "lobby", Messages: conversationWithFiles(), AsOf: "1740000000095-0@k3x9", Live: true,
		TextLimit: 4000, Previews: "on", FileLimits: `{"picture":10485760,"file":26214400,"count":10}`, Origin: "https://chat.example.com",
	}},
	"room-past": {"room", Room{
		Page: page("#lobby", nil), Room: "lobby", Messages: conversation()[:2], AsOf: "1740000000095-0@k3x9",
		Newer: "1740000000020-0", Highlight: "1740000000020-0", TextLimit: 4000, Origin: "https://chat.example.com",
	}},
	"room-refused": {"room", Room{
		Page: page("#lobby", &ada), Room: "lobby", AsOf: "0-0@k3x9", Live: true, TextLimit: 4000,
		Notice: "Chat storage is full.", Draft: "what I wrote", Origin: "http://localhost:8080",
	}},
	"room-refused-name": {"room", Room{
		Page: pageAfterRefusal(strings.Repeat("Ada", 16)), Room: "lobby", AsOf: "0-0@k3x9", Live: true, TextLimit: 4000,
		Notice: "A name must be at most 40 characters long.", Origin: "http://localhost:8080",
	}},
	"home-account":  {"home", Home{Page: accountPage(""), People: []User{bob}, TitleLimit: 120, Rooms: []RoomLink{{Name: "pabcdefghijklmnopqrst", Title: "Launch", LastActive: noon}}}},
	"room-account":  {"room", Room{Page: accountPage("#lobby"), Room: "lobby", AsOf: "0-0@k3x9", Live: true, TextLimit: 4000, Origin: "http://localhost:8080"}},
	"sign-in":       {"sign-in", SignIn{SignInPage: signInPage(page("Sign in", &ada)), MayUpgrade: true}},
	"sign-in-only":  {"sign-in", SignIn{SignInPage: SignInPage{Page: page("Sign in", nil), Next: "/", Notice: "Example didn’t sign you in. Try again."}}},
	"sign-in-done":  {"sign-in", SignIn{SignInPage: signInPage(accountPage("Sign in"))}},
	"welcome":       {"welcome", Welcome{signInPage(accountPage("Welcome"))}},
	"setup":         {"setup", Setup{SignInPage: signInPage(page("Become an owner", nil)), IsFirst: true}},
	"setup-more":    {"setup", Setup{SignInPage: signInPage(accountPage("Become an owner"))}},
	"invite":        {"invite", Invite{SignInPage: signInPage(page("You’re invited", nil)), By: "Bob", IsPrivate: true}},
	"invite-guest":  {"invite", Invite{SignInPage: signInPage(page("You’re invited", &ada)), Role: "a moderator"}},
	"one-time-link": {"one-time-link", OneTimeLink{SignInPage: signInPage(accountPage("Sign in with this link")), For: bob}},
	"secret": {"secret", Secret{
		Page: accountPage("An invite link"), Heading: "An invite link", Text: "Send this link to the people you want to invite.",
		URL: "https://chat.example.com/i/code", QR: "data:image/png;base64,iVBORw0KGgo=", Back: "/invites",
	}},
	"account": {"account", Account{
		Page: accountPage("Your account"), Role: "owner", IsLeader: true,
		Passkeys: []Passkey{{ID: "cred", Name: "Firefox on Linux", Created: noon, Used: noon.Add(time.Hour)}},
		Sessions: []Session{{ID: "1", Device: "Firefox on Linux", LastDay: noon, IsCurrent: true}, {ID: "2", Device: "curl", LastDay: noon}},
	}},
	"account-new": {"account", Account{Page: accountPage("Your account"), Role: "member", Sessions: []Session{{ID: "1", LastDay: noon, IsCurrent: true}}}},
	"people": {"people", People{Page: accountPage("People"), IsLeader: true, Next: 200, People: []Person{
		{User: ada, Role: "owner", IsMe: true, Roles: []string{"member", "moderator", "owner"}},
		{User: bob, Role: "member", IsHere: true, MayAct: true, Roles: []string{"member", "moderator", "owner"}},
	}, Banned: []Person{{User: User{"c", "Guest c0ffee00"}, IsBanned: true, Reason: "spam"}}}},
	"invites": {"invites", Invites{
		Page: accountPage("Invites"), MayInvite: true, Roles: []string{"member", "owner"},
		Invites: []InviteRow{{ID: "abc", For: "#lobby", Uses: 5, Expiry: noon, By: "Bob"}},
	}},
	"invites-none": {"invites", Invites{Page: accountPage("Invites")}},
	"audit":        {"audit", Audit{Page: accountPage("Audit"), Entries: []AuditRow{{User: ada, Text: "banned Bob: spam", Time: noon}}, Older: "1740000000010-0"}},

	"error":       {"error", Error{Page: page("This page does not exist", nil), Detail: "Check the address for mistakes."}},
	"error-again": {"error", Error{Page: page("Chat storage is unavailable", &ada), Detail: "Your messages are safe.", CanRetry: true}},
	"room-private": {"room", Room{
		Page: accountPage("Launch"), Room: "pabcdefghijklmnopqrst", RoomTitle: "Launch", Messages: conversation()[:2], Changes: []Change{{"1740000000005-0", "Ada added Bob"}, {"1740000000015-0", "Bob left"}, {"1740000000025-0", "Ada added <Bob>"}}, AsOf: "0-0@k3x9", Live: true, TextLimit: 4000, Origin: "http://localhost:8080",
		Rooms: []RoomLink{{Name: "pabcdefghijklmnopqrst", Title: "Launch", Current: true}}, Locked: true,
	}},
	"members": {"members", Members{
		Page: accountPage("Launch"), Room: "pabcdefghijklmnopqrst", Kind: "private", RoomTitle: "Launch", Locked: true, TitleLimit: 120, ReasonLimit: 200, Total: 3,
		Rows: []MemberRow{
			{User: ada, IsModerator: true, Mine: true}, {User: bob, MayRemove: true, MayMute: true, MutedUntil: noon},
			{User: User{ID: "c3a1e0b2-4f55-4b1e-8d3c-7a6b5c4d3e2f", Name: "Carl"}, MayRemove: true, MayMute: true},
		},
		People: []User{{ID: "5d0f61a4-8a1e-4d7c-9f0a-3b1f2c4d5e6f", Name: "Dora"}}, Notice: "There is no such user.",
		MayModerate: true, MayInvite: true, MayPromote: true, MayErase: true, MayDelete: true, MayLeave: true, IsModerator: true, IsLast: true,
	}},
	"members-public": {"members", Members{Page: page("#lobby", nil), Room: "lobby", Kind: "public"}},
	"error-unsent": {"error", Error{
		Page: page("Chat storage is unavailable", &ada), Detail: "Your messages are safe.",
		Room: "lobby", Unsent: "what I wrote", Key: "9b2f6c1e-3d4a-4f6b-8a7e-1c2d3e4f5a6b",
	}},
}

func TestPagesMatchTheirGoldenFiles(t *testing.T) {
	for name, page := range pages {
		t.Run(name, func(t *testing.T) {
			got := render(t, page.template, page.model)
			file := filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the page differs from %s. To accept the change, run go test ./views -update. Got:\n%s", file, got)
			}
		})
	}
}

// The Content-Security-Policy forbids inline scripts and styles.
func TestPagesHaveNoInlineScriptOrStyle(t *testing.T) {
	forbidden := map[string]*regexp.Regexp{
		"a script without src":                   regexp.MustCompile(`<script(?:\s[^>]*)?>`),
		"a style element":                        regexp.MustCompile(`(?i)<style`),
		"a style or event attribute":             regexp.MustCompile(`(?i)<[a-z][^>]*\s(?:style|on[a-z]+)\s*=`),
		"a URL with javascript: or another host": regexp.MustCompile(`(?i)(?:src|href)="?(?:javascript:|https?:|//)`),
	}
	// Links in messages and cards lead to other hosts.
	links := regexp.MustCompile(`<a href="https://example\.(?:org|net)/[^"]*"(?: target=_blank rel="nofollow noopener noreferrer")?(?: dir=auto)?>`)
	for name, page := range pages {
		html := links.ReplaceAllString(render(t, page.template, page.model), "")
		for description, pattern := range forbidden {
			for _, found := range pattern.FindAllString(html, -1) {
				if !strings.Contains(found, ` src="/static/hash/js/`) {
					t.Errorf("%s contains %s: %s", name, description, found)
				}
			}
		}
	}
}

func TestUserTextIsEscaped(t *testing.T) {
	const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>'`
	attacker := User{ID: hostile, Name: hostile}
	harmful := message(1, attacker, "hello")
	harmful.Key, harmful.ReplyTo, harmful.ReplyAuthor, harmful.ReplyText, harmful.LastEdit = hostile, hostile, hostile, hostile, hostile
	harmful.Files = []File{{Name: hostile, Alt: hostile, Color: hostile, URL: hostile, Type: "image/png"}, {Name: hostile, URL: hostile, Type: "video/mp4"}, {Name: hostile, URL: hostile}}
	harmful.Card = &Card{URL: hostile, Host: hostile, Site: hostile, Title: hostile, Description: hostile, Picture: &CardPicture{URL: hostile, Color: hostile}}
	harmful.Reactions = []Reaction{{Emoji: hostile, Users: []string{hostile}, Names: []string{hostile}}}
	attackerPage := page(hostile, &attacker)
	attackerPage.HasAccount = true
	visitor := pageAfterRefusal(hostile)
	for _, test := range []struct {
		template string
		model    any
	}{
		{"home", Home{Page: attackerPage, Rooms: []RoomLink{{Name: hostile, LastActive: noon}}, Error: hostile, RoomInput: hostile}},
		{"home", Home{Page: visitor, Error: hostile}},
		{"room", Room{Page: visitor, Room: hostile, Notice: hostile, Draft: hostile}},
		{"room", Room{Page: attackerPage, Room: hostile, Messages: []Message{harmful}, AsOf: hostile, Older: hostile, Newer: hostile, Notice: hostile, Draft: hostile, Origin: hostile}},
		{"home", Home{Page: attackerPage, People: []User{attacker}, Rooms: []RoomLink{{Name: hostile, Title: hostile}}}},
		{"room", Room{Page: attackerPage, Room: hostile, RoomTitle: hostile}},
		{"members", Members{Page: attackerPage, Room: hostile, RoomTitle: hostile, Notice: hostile, Kind: "private", People: []User{attacker},
			Rows: []MemberRow{{User: attacker, MayRemove: true, MayMute: true}}, MayModerate: true, MayInvite: true, MayPromote: true, MayDelete: true, MayLeave: true}},
		{"error", Error{Page: attackerPage, Detail: hostile, Room: hostile, Unsent: hostile, Key: hostile}},
	} {
		html := render(t, test.template, test.model)
		for _, tag := range []string{"<script>", "<img src=x"} {
			if strings.Contains(html, tag) {
				t.Errorf("%s does not escape %s:\n%s", test.template, tag, html)
			}
		}
	}
}

func TestOnlyBrowserFilesAreServed(t *testing.T) {
	allowed := regexp.MustCompile(`^(?:[a-z0-9-]+\.(?:svg|png|webmanifest)|(?:style|files)\.css|js/[a-z]+/[a-z-]+\.js|vendor/[a-z-]+-[0-9.]+/[a-z]+\.js)$`)
	files := AssetNames()
	for _, file := range files {
		if !allowed.MatchString(file) {
			t.Errorf("%s is served, but is not a file for browsers", file)
		}
	}
	for _, file := range []string{"logo.svg", "style.css", "js/page/room.js"} {
		if !slices.Contains(files, file) {
			t.Errorf("%s is not served", file)
		}
	}
}

func TestHashDependsOnNamesAndContents(t *testing.T) {
	files := fstest.MapFS{"js/a.js": {Data: []byte("1")}}
	if hash(files) != hash(fstest.MapFS{"js/a.js": {Data: []byte("1")}}) {
		t.Error("identical files have different hashes")
	}
	for _, other := range []fstest.MapFS{
		{"js/a.js": {Data: []byte("2")}},
		{"js/b.js": {Data: []byte("1")}},
		{"js/a.js": {Data: []byte("1")}, "js/b.js": {}},
	} {
		if hash(files) == hash(other) {
			t.Errorf("%v and %v have the same hash", files, other)
		}
	}
	if !regexp.MustCompile(`^/static/[0-9a-f]{12}$`).MatchString(StaticPath()) {
		t.Errorf("StaticPath() = %q, want /static/ and 12 hexadecimal digits", StaticPath())
	}
}

// README.md states these budgets. Sizes are gzipped unless noted.
func TestBudgets(t *testing.T) {
	sizeOf := func(names ...string) (sum int) {
		for _, name := range names {
			asset, ok := FindAsset(name)
			if !ok {
				t.Fatalf("%s does not exist", name)
			}
			sum += cmp.Or(len(asset.Gzip), len(asset.Plain)) // A tiny file is sent uncompressed.
		}
		return sum
	}
	var all []string
	for _, name := range AssetNames() {
		if strings.HasPrefix(name, "js/") {
			all = append(all, name)
		}
	}
	t.Logf("all scripts, including those loaded on first use: %d bytes", sizeOf(all...))
	room := pages["room"].model.(Room)
	room.Messages = nil
	for n := range int64(50) {
		message := message(n%10, ada, "A sentence of about the length that people write in a chat, with the letter "+string(rune('A'+n)))
		message.Key = "0b9dd3f2-5a53-4a0e-9f0b-" + message.ID
		room.Messages = append(room.Messages, message)
	}
	row := conversation()[0]
	row.Key, row.HTML = ada.ID, ""
	markup := render(t, "room", Room{Room: "lobby", Messages: []Message{row}})
	for _, budget := range []struct {
		name       string
		bytes, max int
	}{
		{"scripts of a room", sizeOf(importedModules(t, roomScript)...), 32 << 10},
		{"styles", sizeOf(Stylesheet), 8 << 10},
		{"a room of 50 messages", gzipped(t, []byte(render(t, "room", room))), 25 << 10},
		{"markup of one message, not gzipped", len(markup[strings.Index(markup, "<article"):strings.Index(markup, "</article>")]) + len("</article>"), 300},
	} {
		t.Logf("%s: %d bytes of %d", budget.name, budget.bytes, budget.max)
		if budget.bytes > budget.max {
			t.Errorf("%s: got %d bytes, want at most %d", budget.name, budget.bytes, budget.max)
		}
	}
}

func TestScripts(t *testing.T) {
	node := apptest.FindProgram(t, "node")
	if out, err := exec.Command(node, "--test").CombinedOutput(); err != nil {
		t.Errorf("node --test: %v\n%s", err, out)
	}
}
