//go:build unix

package browser

import (
	"fmt"
	"strings"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// turnNotificationsOn grants the permission, turns the bell on, and waits for the service worker.
func (u *user) turnNotificationsOn(server *apptest.Server) {
	u.t.Helper()
	if _, err := chromedp.CallBrowser(u.ctx, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: "notifications"}, Setting: "granted", Origin: server.URL(),
		BrowserContextID: chromedp.FromContext(u.ctx).BrowserContextID,
	}); err != nil {
		u.t.Fatal(err)
	}
	u.click("#bell")
	u.wait("notifications to be on", `document.querySelector("#bell").ariaPressed === "true"`)
	u.wait("the service worker", `navigator.serviceWorker.getRegistration().then((registration) => registration?.active)`)
}

// fakeNotifications is a script that keeps the notifications of a profile in localStorage. Without a desktop,
// Chromium displays no notifications, and it forgets them when a page lists them.
const fakeNotifications = `{
	const load = () => JSON.parse(localStorage.getItem("notifications") || "[]");
	const save = (list) => localStorage.setItem("notifications", JSON.stringify(list));
	const { prototype } = ServiceWorkerRegistration;
	prototype.showNotification = async (title, { body, tag, data }) => save([...load(), { title, body, tag, data }]);
	prototype.getNotifications = async () => load().map((one) => ({ ...one, close: () => save(load().filter(({ tag }) => tag !== one.tag)) }));
}`

// waitNotifications waits until only these notifications are shown.
func (u *user) waitNotifications(want ...string) {
	u.t.Helper()
	u.wait(fmt.Sprintf("the notifications %q", want), fmt.Sprintf(
		`JSON.parse(localStorage.getItem("notifications") || "[]").map(({ title, body }) => title + ": " + body).join("; ") === %q`, strings.Join(want, "; ")))
}

// newNotifiedUser returns two servers, and Ada, whose notifications are on. She has a page of the lobby open here, where
// she has read one message, and a page of another room on her phone. Bob writes through the other server.
func newNotifiedUser(t *testing.T) (here, there *apptest.Server, ada, phone *user, bob *guest) {
	t.Helper()
	redis := redistest.Start(t)
	here, there = apptest.Start(t, redis), apptest.Start(t, redis)
	ada, bob = newUserWithWorker(t, "Ada"), newGuest(t, there, "Bob")
	call(ada, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: fakeNotifications})
	bob.send("lobby", "hello")
	ada.join(here, "lobby")
	ada.turnNotificationsOn(here)
	phone = ada.newDevice(there)
	phone.open(there, "/r/attic")
	phone.waitUpToDate()
	return here, there, ada, phone, bob
}

// A notification closes when its message is read (here or on another device), is deleted, or is edited so
// that it mentions someone else.
func TestNotificationClosesWithItsMessage(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	_, there, ada, phone, bob := newNotifiedUser(t)
	show := ada.hide()

	slip := bob.send("lobby", "@Ada, a slip")
	ada.waitNotifications("Bob in #lobby: @Ada, a slip")
	other := bob.send("lobby", "@Ada, look")
	ada.waitNotifications("Bob in #lobby: @Ada, a slip", "Bob in #lobby: @Ada, look")
	bob.delete("lobby", slip)
	ada.waitNotifications("Bob in #lobby: @Ada, look")
	bob.edit("lobby", other, "@Cleo, look")
	ada.waitNotifications()

	bob.send("lobby", "@Ada, are you on your phone?")
	ada.waitNotifications("Bob in #lobby: @Ada, are you on your phone?")
	phone.open(there, "/r/lobby")
	ada.waitNotifications()

	phone.open(there, "/r/attic")
	phone.waitUpToDate()
	bob.send("lobby", "@Ada, come back")
	ada.waitNotifications("Bob in #lobby: @Ada, come back")
	show()
	ada.waitNotifications()
}

// The page that showed a notification may be closed when the message is read. Any other page closes the
// notification, even one that is opened later.
func TestAnyPageClosesNotifications(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	here, there, ada, phone, bob := newNotifiedUser(t)
	notify := func(text string) {
		ada.open(here, "/r/attic")
		ada.waitUpToDate()
		show := ada.hide()
		bob.send("lobby", text)
		ada.waitNotifications("Bob in #lobby: " + text)
		show()
	}
	read := func() {
		phone.open(there, "/r/lobby")
		phone.wait("the server to know that the lobby is read", `fetch("/rooms").then((response) => response.json()).then((rooms) => rooms.find(({ room }) => room === "lobby").unread === 0)`)
		phone.open(there, "/r/attic")
		phone.waitUpToDate()
	}

	notify("@Ada, one")
	ada.open(here, "/")
	ada.waitUnread("lobby", 1, 1)
	ada.waitUpToDate() // before that, it may miss the signal
	read()
	ada.waitNotifications()

	notify("@Ada, two")
	ada.open(here, "/robots.txt")
	read()
	ada.waitNotifications("Bob in #lobby: @Ada, two")
	ada.open(here, "/")
	ada.waitNotifications()
}
