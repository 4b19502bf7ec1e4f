//go:build unix

package browser

import (
	"fmt"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// fakeClock gives the pages that the user opens from now on a clock that setClock sets.
func (u *user) fakeClock() {
	u.t.Helper()
	u.do()
	call(u, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `{
		const RealDate = Date;
		const now = () => RealDate.now() + Number(localStorage["test:shift"] ?? 0);
		globalThis.Date = class extends RealDate {
			constructor(...args) { super(...(args.length ? args : [now()])); }
			static now = now;
		};
	}`})
}

// setClock sets the clock of the device, relative to the real time.
func (u *user) setClock(shift time.Duration) {
	u.t.Helper()
	u.runScript(fmt.Sprintf(`localStorage["test:shift"] = %d`, shift.Milliseconds()))
}

func TestClockOfTheDeviceLosesNoMessage(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := startOnFixedPort(t, redis), apptest.Start(t, redis)
	ada, bob := newUser(t, "Ada"), newUser(t, "Bob")
	ada.allowErrors(serverDownErrors...)
	ada.fakeClock()
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	const day = 24 * time.Hour
	for i, test := range []struct {
		text   string
		clock  time.Duration
		reload bool
	}{
		{"before the clock was set forward", 2 * day, false},
		{"before the reload", 30 * day, true},
		{"before the clock was set back", -400 * day, false},
		{"before another reload", -1000 * day, true},
	} {
		here.Pause()
		ada.send(test.text)
		ada.wait("the first attempt", `Object.entries(localStorage).some(([key, value]) => key.startsWith("burble:outbox:") && JSON.parse(value).tried)`)
		here.Kill() // before it has read the message
		ada.setClock(test.clock)
		if test.reload {
			ada.do(chromedp.Navigate("about:blank"))
		}
		here.Start()
		here.AwaitReady()
		if test.reload {
			ada.open(here, "/r/lobby")
		}
		bob.waitMessages(test.text)
		ada.waitUpToDate()
		expectMatchesServer(t, there, "lobby", ada, bob)
		apptest.ExpectStoredOnce(t, redis, "lobby", i+1)
	}
}
