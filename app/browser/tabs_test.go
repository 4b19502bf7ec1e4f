//go:build unix

package browser

import (
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
)

// Several tabs of one profile, on one localStorage.

func TestWhatTwoTabsWriteInOneMomentIsKept(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "lobby")
	other, _ := ada.inAnotherTab()
	other.open(server, "/r/lobby")
	other.upToDate()
	// A hidden tab has timers once a second.
	const write = `import(document.querySelector("script").src.replace("page/room.js", "offline/outbox.js")).then(({ Outbox }) => {
		const connection = Object.assign(new EventTarget(), { send: () => false });
		window.tried = new Outbox("attic", connection);
		let left = 10;
		const next = () => left-- ? setTimeout(() => { tried.ask({ text: document.visibilityState + left }); next(); }, 1_000 - Date.now() % 1_000) : (window.done = true);
		next();
		return true;
	})`
	see[bool](ada, write)
	see[bool](other, write)
	for _, tab := range []*browserPerson{ada, other} {
		tab.wait("ten messages to be written", `window.done`)
	}
	for _, tab := range []*browserPerson{ada, other} {
		tab.wait("both tabs' messages", `tried.items.length === 20`)
	}
}

func TestWhatAClosedTabLeftIsSentByTheOneThatIsOpen(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := burbleAt(t, redis), apptest.Start(t, redis)
	ada, bob := newBrowserPerson(t, "Ada"), newBrowserPerson(t, "Bob")
	ada.forgive(serverGone...)
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	other, closeIt := ada.inAnotherTab()
	other.forgive(serverGone...)
	other.open(here, "/r/lobby")
	other.upToDate()

	here.Kill()
	other.write("written in a tab")
	other.waitTruth("connecting", "Connecting, 1 waiting to send")
	closeIt()
	ada.waitTruth("connecting", "Connecting, 1 waiting to send")
	here.Start()
	here.AwaitReady()
	bob.shows("written in a tab")
	ada.upToDate()
	apptest.ExpectStoredOnce(t, redis, "lobby", 1)
}

func TestHomeSaysWhatWaitsInAnotherTab(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here := burbleAt(t, redis)
	ada := newBrowserPerson(t, "Ada")
	ada.forgive(serverGone...)
	ada.join(here, "lobby")
	ada.write("hello")
	ada.shows("hello")
	other, _ := ada.inAnotherTab()
	other.forgive(serverGone...)
	other.open(here, "/r/lobby")
	other.upToDate()
	ada.open(here, "/")
	ada.upToDate()

	here.Kill()
	ada.waitTruth("connecting", "Connecting…")
	other.write("written in a tab")
	ada.waitTruth("connecting", "Connecting, 1 waiting to send")
	here.Start()
	here.AwaitReady()
	other.shows("written in a tab")
	ada.upToDate()
	apptest.ExpectStoredOnce(t, redis, "lobby", 2)

	// What is refused in one tab is told of in the other, until it is discarded there.
	other.runs(`const key = crypto.randomUUID(); localStorage.setItem("burble:outbox:lobby:" + key, JSON.stringify({ key, text: "no answer", reply_to: "1-1", at: 1, state: "waiting" }))`)
	other.open(here, "/r/lobby")
	ada.waitTruth("failed", "A message in #lobby was not sent")
	other.click("#messages [name=discard]")
	ada.upToDate()
}

func TestWhatIsSentInOneTabLeavesTheDraftOfTheOther(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "lobby")
	other, closeIt := ada.inAnotherTab()
	other.open(server, "/r/lobby")
	other.upToDate()
	other.write("quick")
	other.shows("quick")
	other.types("and")
	command(ada, page.BringToFront, cdp.Empty{})
	ada.wait("to be looked at", `!document.hidden`)
	ada.wipe()
	ada.types("a long thought")
	command(other, page.BringToFront, cdp.Empty{})
	other.wait("to be looked at", `!document.hidden`)
	other.press("Enter")
	other.shows("and")
	closeIt()
	command(ada, page.BringToFront, cdp.Empty{})
	ada.wait("to be looked at", `!document.hidden`)
	ada.open(server, "/r/tea")
	ada.open(server, "/r/lobby")
	ada.upToDate()
	if got := ada.writing(); got != "a long thought" {
		t.Errorf("the draft is %q", got)
	}
}
