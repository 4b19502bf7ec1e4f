//go:build unix

package browser

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

var setupLink = regexp.MustCompile(`/setup\?code=[\w.-]+`)

// addAuthenticator gives the page a virtual authenticator, whose user always agrees.
func (u *user) addAuthenticator() {
	u.t.Helper()
	call(u, webauthn.Enable, webauthn.EnableParams{})
	call(u, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
}

// openLocal opens a page of the server under the name localhost, because passkeys do not work with IP addresses.
func (u *user) openLocal(server *apptest.Server, path string) {
	u.t.Helper()
	u.do(chromedp.Navigate(strings.Replace(server.URL(), "127.0.0.1", "localhost", 1) + path))
}

// submit types the name, unless it is empty, into the form that matches the selector, and clicks the form's button.
func (u *user) submit(selector, name string) {
	u.t.Helper()
	if name != "" {
		u.typeInto(selector+` input[name=name]`, name)
	}
	u.wait("the form to be ready", `document.querySelector('`+selector+` button:enabled') !== null`)
	u.click(selector + " button")
}

// pathOf returns the path in an address, with its query.
func pathOf(t *testing.T, address string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.RequestURI()
}

// TestTeamFromSetupLinkToPrivateRoom follows a team on two servers: the setup link from the log, an owner with a
// passkey, an invite in a second browser, a private room, and a stranger who cannot see the room.
func TestTeamFromSetupLinkToPrivateRoom(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis, "ACCESS=members"), apptest.Start(t, redis, "ACCESS=members")
	apptest.Eventually(t, timeout, "the setup link to be logged", func() bool { return setupLink.MatchString(here.Output()) })
	setup := setupLink.FindString(here.Output())

	owner := newUser(t, "Olga")
	owner.addAuthenticator()
	owner.openLocal(here, setup)
	owner.submit(`form[action="/setup"]`, owner.name)
	owner.wait("the home page", `location.pathname === "/"`)
	owner.openLocal(there, "/me")
	owner.wait("the account page with a passkey", `document.querySelector('form[action^="/me/passkeys/"]') !== null && document.body.innerText.includes("Owner")`)

	owner.openLocal(there, "/invites")
	owner.submit(`form[action="/invites"]`, "")
	owner.wait("the invite link", `document.querySelector("input[readonly]")?.value.includes("/i/")`)
	invite := pathOf(t, eval[string](owner, `document.querySelector("input[readonly]").value`))

	bob := newUser(t, "Bob")
	bob.addAuthenticator()
	bob.openLocal(here, invite)
	bob.submit(`form[action^="/i/"]`, bob.name)
	bob.wait("the offer of a passkey", `location.pathname === "/welcome"`)
	bob.submit(`form[data-passkey="create"]`, "")
	bob.wait("the home page", `location.pathname === "/"`)

	room := eval[string](owner, `(async () => {
		const people = await (await fetch("/people")).json();
		const members = people.filter(({ name }) => name === "Bob").map(({ id }) => id);
		const body = JSON.stringify({ kind: "private", title: "Launch", members });
		const response = await fetch("/rooms", { method: "POST", headers: { "Content-Type": "application/json" }, body });
		return (await response.json()).room;
	})()`)
	owner.openLocal(there, "/r/"+room)
	owner.wait("the composer", `document.querySelector("#composer textarea") !== null`)
	owner.waitUpToDate()
	bob.openLocal(here, "/r/"+room)
	bob.wait("the composer", `document.querySelector("#composer textarea") !== null`)
	bob.waitUpToDate()
	owner.send("only for us")
	bob.waitMessages("only for us")

	stranger := newUser(t, "Mallory")
	stranger.allowErrors("403", "404")
	for _, path := range []string{"/r/" + room, "/", "/r/lobby", "/people"} {
		stranger.openLocal(here, path)
		stranger.wait("the page for signing in", `location.pathname === "/sign-in"`)
	}
	stranger.runScript(`for (const path of ["messages", "search?q=us", "events"]) {
		const response = await fetch("/r/` + room + `/" + path);
		if (response.ok) throw new Error(path + ": " + response.status);
	}`)
	if text := eval[string](stranger, `document.documentElement.outerHTML`); strings.Contains(text, "Launch") || strings.Contains(text, "only for us") {
		t.Errorf("the stranger's page contains the room's title or message: %s", text)
	}

	bob.openLocal(here, "/me")
	bob.click(`form[action^="/me/sessions/"] button`)
	bob.wait("the page for signing in", `location.pathname === "/sign-in"`)
	bob.submit(`form[data-passkey="use"]`, "")
	bob.wait("the home page", `location.pathname === "/" && document.body?.dataset.name === "Bob"`)
}

func TestPagesAboutPeopleAreAccessible(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	source, err := axeSource()
	if err != nil {
		skip(t, err)
	}
	server := apptest.Start(t, redistest.Start(t), "OIDC_ISSUER=https://login.example.org", "OIDC_CLIENT_ID=burble")
	apptest.Eventually(t, timeout, "the setup link to be logged", func() bool { return setupLink.MatchString(server.Output()) })
	owner, bob := newUser(t, "Olga"), newUser(t, "Bob")
	check := func(u *user, what string) {
		u.t.Helper()
		u.runScript(`for (const details of document.querySelectorAll("details")) details.open = true`)
		for _, scheme := range []string{"light", "dark"} {
			u.emulate(narrow, scheme)
			u.waitAnimations()
			for _, violation := range u.axe(source, `rules: { "target-size": { enabled: true } }`) {
				t.Errorf("%s, %s: %s", what, scheme, violation)
			}
			if overflow := eval[int](u, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); overflow > 0 {
				t.Errorf("%s: the page is %d pixels wider than the screen", what, overflow)
			}
		}
	}
	owner.addAuthenticator()
	owner.openLocal(server, setupLink.FindString(server.Output()))
	check(owner, "setup")
	owner.submit(`form[action="/setup"]`, owner.name)
	owner.wait("the home page", `location.pathname === "/"`)
	owner.openLocal(server, "/invites")
	owner.submit(`form[action="/invites"]`, "")
	owner.wait("the invite link", `document.querySelector("input[readonly]")?.value.includes("/i/")`)
	check(owner, "invite link")
	invite := pathOf(t, eval[string](owner, `document.querySelector("input[readonly]").value`))
	bob.openLocal(server, "/sign-in")
	check(bob, "sign in")
	bob.openLocal(server, invite)
	check(bob, "invite")
	bob.submit(`form[action^="/i/"]`, bob.name)
	bob.wait("the offer of a passkey", `location.pathname === "/welcome"`)
	check(bob, "welcome")
	members := "/r/" + eval[string](owner, `(async () => {
		const people = await (await fetch("/people")).json();
		const body = JSON.stringify({ kind: "private", title: "Launch", members: people.filter(({ name }) => name === "Bob").map(({ id }) => id) });
		return (await (await fetch("/rooms", { method: "POST", headers: { "Content-Type": "application/json" }, body })).json()).room;
	})()`) + "/members"
	for _, path := range []string{"/", "/me", "/people", "/invites", "/audit", members, "/r/lobby/members"} {
		owner.openLocal(server, path)
		check(owner, path)
	}
}
