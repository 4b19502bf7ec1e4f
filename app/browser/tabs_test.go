//go:build unix

package browser

import (
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"
)

// The tabs of a browser profile share one localStorage.

func TestTwoTabsWriteToTheOutboxAtTheSameTime(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newUserWithWorker(t, "Ada")
	ada.join(server, "lobby")
	other, _ := ada.openTab()
	other.open(server, "/r/lobby")
	other.waitUpToDate()
	// Both tabs write at each full second, because the timers of hidden tabs fire once a second.
	const write = `import(document.querySelector("script").src.replace("page/room.js", "offline/outbox.js")).then(({ Outbox }) => {
		const connection = Object.assign(new EventTarget(), { send: () => false });
		window.outbox = new Outbox("attic", connection);
		let left = 10;
		const next = () => left-- ? setTimeout(() => { outbox.add({ text: document.visibilityState + left }); next(); }, 1_000 - Date.now() % 1_000) : (window.done = true);
		next();
		return true;
	})`
	eval[bool](ada, write)
	eval[bool](other, write)
	for _, tab := range []*user{ada, other} {
		tab.wait("the tab to write ten messages", `window.done`)
	}
	for _, tab := range []*user{ada, other} {
		tab.wait("the messages of both tabs", `outbox.items.length === 20`)
	}
}

func TestOpenTabSendsMessagesOfAClosedTab(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	here, there := startOnFixedPort(t, redis), apptest.Start(t, redis)
	ada, bob := newUserWithWorker(t, "Ada"), newUserWithWorker(t, "Bob")
	ada.allowErrors(serverDownErrors...)
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	other, closeTab := ada.openTab()
	other.allowErrors(serverDownErrors...)
	other.open(here, "/r/lobby")
	other.waitUpToDate()

	here.Kill()
	other.send("written in a tab")
	other.waitStatus("connecting", "Connecting, 1 unsent")
	closeTab()
	ada.waitStatus("connecting", "Connecting, 1 unsent")
	here.Start()
	here.AwaitReady()
	bob.waitMessages("written in a tab")
	ada.waitUpToDate()
	apptest.ExpectStoredOnce(t, redis, "lobby", 1)
}

func TestHomeShowsMessagesWaitingInAnotherTab(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	server := startOnFixedPort(t, redis)
	ada := newUserWithWorker(t, "Ada")
	ada.allowErrors(serverDownErrors...)
	ada.join(server, "lobby")
	ada.send("hello")
	ada.waitMessages("hello")
	other, _ := ada.openTab()
	other.allowErrors(serverDownErrors...)
	other.open(server, "/r/lobby")
	other.waitUpToDate()
	ada.open(server, "/")
	ada.waitUpToDate()

	server.Kill()
	ada.waitStatus("connecting", "Connecting…")
	other.send("written in a tab")
	ada.waitStatus("connecting", "Connecting, 1 unsent")
	server.Start()
	server.AwaitReady()
	other.waitMessages("written in a tab")
	ada.waitUpToDate()
	apptest.ExpectStoredOnce(t, redis, "lobby", 2)

	// If a message fails in one tab, the other tab reports it until the user discards it.
	other.runScript(`const key = crypto.randomUUID(); localStorage.setItem("burble:outbox:lobby:" + key, JSON.stringify({ key, text: "no such reply", reply_to: "1-1", at: 1, state: "waiting" }))`)
	other.open(server, "/r/lobby")
	ada.waitStatus("failed", "A message in #lobby was not sent")
	other.click("#messages [name=discard]")
	ada.waitUpToDate()
}

func TestSendingInOneTabKeepsTheDraftOfAnother(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newUserWithWorker(t, "Ada")
	ada.join(server, "lobby")
	other, closeTab := ada.openTab()
	other.open(server, "/r/lobby")
	other.waitUpToDate()
	other.send("quick")
	other.waitMessages("quick")
	other.typeText("and")
	ada.bringToFront()
	ada.clearField()
	ada.typeText("a long thought")
	other.bringToFront()
	other.press("Enter")
	other.waitMessages("and")
	closeTab()
	ada.bringToFront()
	ada.open(server, "/r/tea")
	ada.open(server, "/r/lobby")
	ada.waitUpToDate()
	ada.expectComposer("a long thought")
}
