//go:build unix

package browser

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"

	cdpnetwork "github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// newOfflineReader returns a server that the test may stop and restart, Ada, who has no page open yet, and Bob, who
// writes through another server.
func newOfflineReader(t *testing.T) (here *apptest.Server, ada *user, bob *guest) {
	t.Helper()
	redis := redistest.Start(t)
	here, there := startOnFixedPort(t, redis), apptest.Start(t, redis)
	ada, bob = newUserWithWorker(t, "Ada"), newGuest(t, there, "Bob")
	ada.allowErrors(serverDownErrors...)
	return here, ada, bob
}

// startOnFixedPort starts a server that keeps its port after a restart, so that pages can reconnect.
func startOnFixedPort(t *testing.T, redis *redistest.Server, env ...string) *apptest.Server {
	t.Helper()
	return apptest.Start(t, redis, append(env, "PORT="+strconv.Itoa(redistest.FreePort(t)))...)
}

// open opens a page of the server.
func (u *user) open(server *apptest.Server, path string) {
	u.t.Helper()
	u.do(chromedp.Navigate(server.URL() + path))
}

// join opens a room as a guest with the user's name. It signs in without the page, because that saves loading the page twice;
// enterName signs in as users do.
func (u *user) join(server *apptest.Server, room string) {
	u.t.Helper()
	u.setToken(server, server.SignIn(u.name))
	u.open(server, "/r/"+room)
	u.waitVisible(`#composer textarea`)
	u.waitUpToDate()
}

// enterName opens a room and enters the user's name there.
func (u *user) enterName(server *apptest.Server, room string) {
	u.t.Helper()
	u.open(server, "/r/"+room)
	u.typeInto(`form[action="/session"] input[name=name]`, u.name)
	u.press("Enter")
	u.waitVisible(`#composer textarea`)
	u.waitUpToDate()
}

// send types a message into the composer and presses Enter.
func (u *user) send(text string) {
	u.t.Helper()
	u.focus(`#composer textarea`)
	u.typeText(text)
	u.press("Enter")
}

// setOffline switches the browser's network off or on.
func (u *user) setOffline(offline bool) {
	u.t.Helper()
	call(u, cdpnetwork.OverrideNetworkState, cdpnetwork.OverrideNetworkStateParams{
		Offline: offline, DownloadThroughput: -1, UploadThroughput: -1,
	})
}

// wait waits until the expression, or its promise, is true in the page.
func (u *user) wait(what, expression string) {
	u.t.Helper()
	waitFor(u, what, "Promise.resolve("+expression+").then(Boolean)", func(ok bool) bool { return ok })
}

// waitFor waits until the value of an expression in the page is as wanted, and returns it. It polls from
// outside, because the page's Content-Security-Policy does not allow eval.
func waitFor[T any](u *user, what, expression string, wanted func(T) bool) T {
	u.t.Helper()
	deadline := time.After(timeout)
	for {
		value, err := tryEval[T](u, expression)
		if err != nil && !isNavigating(err) {
			u.t.Fatalf("%s: %v in %s", u.name, err, expression)
		}
		if err == nil && wanted(value) {
			return value
		}
		select {
		case <-deadline:
			u.t.Fatalf("%s timed out waiting for %s:\n%s", u.name, what, u.describePage())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// isVisible is a JavaScript expression that reports whether an element is visible.
const isVisible = `element.checkVisibility({ visibilityProperty: true })`

// element waits until the page has an element that matches the selector and meets the condition, and returns the element. The
// condition is a JavaScript expression.
func (u *user) element(selector, condition string) runtime.RemoteObjectID {
	u.t.Helper()
	return waitFor(u, selector, fmt.Sprintf(`((element) => element && %s ? element : null)(document.querySelector(%q))`, condition, selector),
		func(element *runtime.RemoteObject) bool { return element.ObjectID != "" }).ObjectID
}

// waitVisible waits until an element is visible.
func (u *user) waitVisible(selector string) {
	u.t.Helper()
	u.wait(selector, fmt.Sprintf(`((element) => element && %s)(document.querySelector(%q))`, isVisible, selector))
}

// isNavigating reports whether an expression failed because the page was navigating.
func isNavigating(err error) bool {
	return slices.ContainsFunc([]string{
		"Inspected target navigated or closed", "Cannot find default execution context", "Promise was collected",
	}, func(part string) bool { return err != nil && strings.Contains(err.Error(), part) })
}

// expect checks the value of a string expression without waiting.
func (u *user) expect(what, expression, want string) {
	u.t.Helper()
	if got := eval[string](u, expression); got != want {
		u.t.Errorf("%s: %s is %q, want %q", u.name, what, got, want)
	}
}

// waitUpToDate waits until the status line shows that the page is up to date.
func (u *user) waitUpToDate() {
	u.t.Helper()
	u.wait("the page to be up to date", `document.querySelector("#status")?.dataset.state === "live"`)
}

// waitStatus waits until the status line has the state and the text.
func (u *user) waitStatus(state, text string) {
	u.t.Helper()
	u.wait(fmt.Sprintf("the status %q", text),
		fmt.Sprintf(`(({dataset, innerText}) => dataset.state === %q && innerText === %q)(document.querySelector("#status"))`, state, text))
}

// waitMessages waits until the page shows stored messages with these texts.
func (u *user) waitMessages(texts ...string) {
	u.t.Helper()
	for _, text := range texts {
		u.wait(fmt.Sprintf("the message %q", text), fmt.Sprintf(
			`[...document.querySelectorAll("#messages .message[id]")].some((m) => m.querySelector(".body")?.innerText.trim() === %q)`, text))
	}
}

// messageSelector waits for the message with the text and returns its CSS selector.
func (u *user) messageSelector(text string) string {
	u.t.Helper()
	u.waitMessages(text)
	return "#" + eval[string](u, fmt.Sprintf(
		`[...document.querySelectorAll("#messages .message[id]")].find((m) => m.querySelector(".body")?.innerText.trim() === %q).id`, text))
}

// messages returns the messages in the page, each as "ID text", or as "waiting text" if it has no ID
// yet.
func (u *user) messages() []string {
	u.t.Helper()
	return eval[[]string](u, `[...document.querySelectorAll("#messages .message")].map(
		(m) => (m.id.slice(1) || "waiting") + " " + m.querySelector(".body").innerText.trim())`)
}

// serverMessages returns a room's messages from the JSON API, each as "ID text".
func serverMessages(t *testing.T, server *apptest.Server, room string) (messages []string) {
	t.Helper()
	_, body := server.Get("/r/" + room + "/messages?limit=500")
	var page struct {
		Entries []struct {
			ID, Text string
			Deleted  bool
		}
	}
	if err := json.Unmarshal([]byte(body), &page); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	for _, entry := range page.Entries {
		if entry.Deleted {
			entry.Text = "This message was deleted."
		}
		messages = append(messages, entry.ID+" "+entry.Text)
	}
	return messages
}

// expectMatchesServer waits until each user's page shows exactly the server's messages, in the same
// order.
func expectMatchesServer(t *testing.T, server *apptest.Server, room string, users ...*user) {
	t.Helper()
	deadline := time.Now().Add(timeout)
	for _, u := range users {
		got, want := u.messages(), serverMessages(t, server, room)
		for ; !slices.Equal(got, want) && time.Now().Before(deadline); got, want = u.messages(), serverMessages(t, server, room) {
			time.Sleep(50 * time.Millisecond)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s's page shows\n%q, want the messages on the server,\n%q", u.name, got, want)
		}
	}
}

// waitAtMessage waits until the page has navigated to a message and the status line has the state.
// The message must be focused and in view.
func (u *user) waitAtMessage(text, state string) {
	u.t.Helper()
	u.wait(fmt.Sprintf("the page to be at %q", text), fmt.Sprintf(`((message) => message && message.ariaCurrent === "true" && message.getBoundingClientRect().top > 0 &&
		message.getBoundingClientRect().bottom < innerHeight && document.activeElement === message)(document.querySelector(%q))`, u.messageSelector(text)))
	u.wait("the status "+state, `document.querySelector("#status")?.dataset.state === "`+state+`"`)
}

// waitAtPath waits until the page with the path is loaded and up to date.
func (u *user) waitAtPath(path string) {
	u.t.Helper()
	u.wait("the page "+path, `location.pathname === "`+path+`" && document.readyState === "complete"`)
	u.waitUpToDate()
}

// waitUnread waits until the list of rooms shows the counts for a room.
func (u *user) waitUnread(room string, unread, mentions int) {
	u.t.Helper()
	count := func(badge string, want int) string {
		return fmt.Sprintf(`((badge) => badge && (badge.hidden ? 0 : Number(badge.firstElementChild.textContent)) === %d)(document.querySelector('#room-list a[href="/r/%s"] .badge%s'))`, want, room, badge)
	}
	u.wait(fmt.Sprintf("%d unread messages, %d of them mentions, in %s", unread, mentions, room), count(":not(.mentions)", unread)+" && "+count(".mentions", mentions))
}

// waitCached waits until the device has cached the lobby's page and exactly these of its
// messages.
func (u *user) waitCached(texts ...string) {
	u.t.Helper()
	u.wait("the page to be cached", `caches.keys().then((names) => Promise.all(names.map((name) => caches.open(name).then((cache) => cache.match("/r/lobby")))))
		.then((found) => found.some(Boolean))`)
	u.wait("the messages to be cached", fmt.Sprintf(`new Promise((resolve) => { const request = indexedDB.open("burble"); request.onsuccess = () => {
		const rooms = request.result.transaction("rooms").objectStore("rooms").openCursor();
		rooms.onsuccess = () => !rooms.result ? resolve(false) : !rooms.result.key.endsWith(" lobby") ? rooms.result.continue()
			: resolve(rooms.result.value.entries.map(({ text }) => text).join() === %q) } })`, strings.Join(texts, ",")))
}

// waitAnimations waits until all finite animations have finished.
func (u *user) waitAnimations() {
	u.t.Helper()
	u.runScript(`await Promise.all(document.getAnimations().filter((one) => Number.isFinite(one.effect.getComputedTiming().endTime)).map((one) => one.finished.catch(() => {})));
		await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`)
}
