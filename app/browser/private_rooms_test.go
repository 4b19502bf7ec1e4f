//go:build unix

package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"burble/app/accounts"
	"burble/app/apptest"
	"burble/app/client"
	"burble/app/identity"
	"burble/streams/conns"
	"burble/streams/redistest"

	cdpnetwork "github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// member is a person with an account.
type member struct{ id, token string }

// newMember creates an account. The servers must use the same secret.
func newMember(t *testing.T, redis *redistest.Server, secret, name string) member {
	t.Helper()
	set := conns.New(conns.Options{Redis: redis.Redis(), Stream: "{0}:activity"})
	defer set.Close()
	guest, err := identity.NewUser(name)
	if err != nil {
		t.Fatal(err)
	}
	signedIn, err := accounts.New(accounts.Options{Redis: set, Secret: []byte(secret)}).Upgrade(context.Background(), accounts.SignIn{User: guest, Device: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return member{guest.ID, signedIn.Token}
}

// request sends a JSON request as the member, and returns the field "room" of the response.
func (m member) request(t *testing.T, server *apptest.Server, method, path, body string) (room string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+m.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		t.Fatalf("%s %s: status %d, %v, want success: %s", method, path, response.StatusCode, err, text)
	}
	var created struct{ Room string }
	json.Unmarshal(text, &created) // some responses have no body
	return created.Room
}

// Lines about members also appear between older messages. Each line appears once, even after the page has removed the
// messages around it and loaded them again.
func TestOlderPagesHaveLinesAboutMembers(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	const secret = "SECRET=a secret that all servers share!"
	server := apptest.Start(t, redis, secret)
	_, value, _ := strings.Cut(secret, "=")
	ada, bob := newMember(t, redis, value, "Ada"), newMember(t, redis, value, "Bob")
	room := ada.request(t, server, "POST", "/rooms", fmt.Sprintf(`{"kind":"private","title":"Launch","members":[%q]}`, bob.id))
	var want []string
	for n := range 8 {
		who := newMember(t, redis, value, fmt.Sprint("Guest", n))
		for i := range 50 {
			if i == 10 {
				ada.request(t, server, "PUT", "/r/"+room+"/members/"+who.id, "")
				ada.request(t, server, "DELETE", "/r/"+room+"/members/"+who.id, "")
				want = append(want, fmt.Sprintf("%d-10 Ada added Guest%d", n, n), fmt.Sprintf("%d-10 Ada removed Guest%d", n, n))
			}
			server.Post(ada.token, room, client.NewKey(), fmt.Sprintf("%d-%d", n, i+1))
		}
	}
	page := newUser(t, "Bob")
	call(page, cdpnetwork.SetCookie, cdpnetwork.SetCookieParams{Name: "burble", Value: bob.token, URL: server.URL()})
	page.open(server, "/r/"+room)
	page.waitUpToDate()
	lines := `(() => { let last = ""; return [...document.querySelectorAll("#messages > *")].flatMap((row) => row.matches("article") ? (last = row.querySelector(".body").innerText, [])
		: /Guest/.test(row.innerText) ? last + " " + row.innerText : []).join("; ") })()`
	for _, end := range []struct{ place, want string }{{"-1e9", strings.Join(want[:6], "; ")}, {"0", strings.Join(want[len(want)-6:], "; ")}} {
		page.wait("the lines at one end", fmt.Sprintf(`(document.querySelector("#scroller").scrollTop = %s, true) && `, end.place)+
			fmt.Sprintf(`(%s)[%q](%q)`, lines, map[string]string{"-1e9": "includes", "0": "endsWith"}[end.place], end.want))
		got := strings.Split(eval[string](page, lines), "; ")
		slices.Sort(got)
		if len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Errorf("the lines are %q, want each once", got)
		}
	}
}

func TestPageLeavesAPrivateRoomAfterARemoval(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	const secret = "SECRET=a secret that all servers share!"
	here, there := apptest.Start(t, redis, secret), apptest.Start(t, redis, secret)
	_, value, _ := strings.Cut(secret, "=")
	ada, carl, bob := newMember(t, redis, value, "Ada"), newMember(t, redis, value, "Carl"), newMember(t, redis, value, "Bob")
	room := ada.request(t, there, "POST", "/rooms", fmt.Sprintf(`{"kind":"private","title":"Launch","members":[%q]}`, bob.id))
	ada.request(t, there, "POST", "/r/"+room+"/messages", `{"text":"a secret plan"}`)

	page := newUserWithWorker(t, "Bob")
	call(page, cdpnetwork.SetCookie, cdpnetwork.SetCookieParams{Name: "burble", Value: bob.token, URL: here.URL()})
	page.open(here, "/r/"+room)
	page.waitUpToDate()
	page.waitMessages("a secret plan")
	const heading = `document.querySelector(".bar h1").innerText`
	page.expect("the heading", heading, "Launch")
	row := fmt.Sprintf(`document.querySelector('#room-list a[href="/r/%s"]')`, room)
	page.expect("the title in the list of rooms", row+`.querySelector("b").innerText`, "Launch")
	isCached := fmt.Sprintf(`new Promise((resolve) => { const request = indexedDB.open("burble"); request.onsuccess = () => {
		const keys = request.result.transaction("rooms").objectStore("rooms").getAllKeys();
		keys.onsuccess = () => { request.result.close(); resolve(keys.result.some((key) => key.endsWith(" %s"))) } } })`, room)
	page.wait("the messages to be cached", isCached)

	ada.request(t, there, "PATCH", "/r/"+room, `{"title":"Week two"}`)
	ada.request(t, there, "PUT", "/r/"+room+"/members/"+carl.id, "")
	page.wait("the new title", heading+` === "Week two" && `+row+`.querySelector("b").innerText === "Week two" &&
		document.querySelector("#composer textarea").placeholder === "Message Week two"`)
	page.wait("the line about Carl", `[...document.querySelectorAll("#messages .change")].some((line) => line.innerText === "Ada added Carl")`)

	page.typeText("half a secret")
	const stored = `Object.entries(localStorage).filter(([key, text]) => (key + text).includes("%[1]s") || text.includes("half a secret")).join(" ")`
	traces := fmt.Sprintf(`(async () => { let urls = []; for (const name of await caches.keys()) urls.push(...(await (await caches.open(name)).keys()).map(({ url }) => url));
		return [...urls.filter((url) => url.includes("%[1]s")), `+stored+`].join(" ").trim() })()`, room)
	page.wait("the page and the draft to be stored", traces+`.then((text) => text.includes("/r/") && text.includes("half a secret"))`)

	ada.request(t, there, "DELETE", "/r/"+room+"/members/"+bob.id, "")
	page.wait("the notice", `document.querySelector("main").innerText.includes("You’re no longer a member of this room.")`)
	page.wait("the room to leave the list", row+` === null`)
	page.wait("the messages to leave the device", isCached+`.then((is) => !is)`)
	page.wait("all traces to leave the device", traces+`.then((text) => text === "")`)
	page.runScript(`document.dispatchEvent(new Event("visibilitychange")); dispatchEvent(new Event("pagehide"))`)
	page.expect("the traces after the page was hidden", traces, "")
	if text := eval[string](page, "document.body.innerText"); strings.Contains(text, "a secret plan") {
		t.Errorf("the page still shows the room's messages: %s", text)
	}
}

// If a browser does not show the room when its user is removed, it deletes its copy of the room later.
func TestBrowserForgetsAPrivateRoomAfterARemovalWhileAway(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis, "SECRET=a secret that all servers share!")
	ada, bob := newMember(t, redis, "a secret that all servers share!", "Ada"), newMember(t, redis, "a secret that all servers share!", "Bob")
	var rooms []string
	for _, title := range []string{"Launch", "Lunch"} {
		room := ada.request(t, server, "POST", "/rooms", fmt.Sprintf(`{"kind":"private","title":%q,"members":[%q]}`, title, bob.id))
		ada.request(t, server, "POST", "/r/"+room+"/messages", `{"text":"a plan"}`)
		rooms = append(rooms, room)
	}
	page := newUserWithWorker(t, "Bob")
	call(page, cdpnetwork.SetCookie, cdpnetwork.SetCookieParams{Name: "burble", Value: bob.token, URL: server.URL()})
	cached := `new Promise((resolve) => { const request = indexedDB.open("burble"); request.onsuccess = () => {
		const keys = request.result.transaction("rooms").objectStore("rooms").getAllKeys();
		keys.onsuccess = () => { request.result.close(); resolve(keys.result.map((key) => key.split(" ")[1])) } } })`
	for _, room := range rooms {
		page.open(server, "/r/"+room)
		page.waitMessages("a plan")
		page.waitUpToDate()
		page.wait("the messages to be cached", fmt.Sprintf(`%s.then((rooms) => rooms.includes(%q))`, cached, room))
	}
	page.do(chromedp.Navigate("about:blank"))
	page.allowErrors("404 (Not Found)") // the response about the room
	ada.request(t, server, "DELETE", "/r/"+rooms[0]+"/members/"+bob.id, "")
	page.open(server, "/r/lobby")
	page.wait("the messages to leave the device", fmt.Sprintf(`%s.then((rooms) => !rooms.includes(%q))`, cached, rooms[0]))
	if left := eval[[]string](page, cached); !slices.Contains(left, rooms[1]) {
		t.Errorf("got messages of %v on the device, want those of the room that the user is still a member of", left)
	}
}
