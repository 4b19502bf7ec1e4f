//go:build unix

package browser

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/domdebugger"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const (
	maxMessages   = 300  // in the page, the limit in timeline.js
	maxGrowth     = 20e6 // of the page's heaps, in bytes
	pagesPerInput = 3    // pages that each kind of input loads in each direction
)

func TestScrollThroughALongRoomAndBack(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	const desktopRoom, phoneRoom = 10_000, 2_500 // messages
	server := apptest.Start(t, redistest.Start(t))
	t.Run("desktop", func(t *testing.T) {
		t.Parallel()
		ada := newUser(t, "Ada")
		ada.do(chromedp.EmulateViewport(1280, 800))
		ada.scrollThrough(server, "desktop", desktopRoom, (*user).pressPageKey, (*user).scrollWheel)
	})
	t.Run("phone", func(t *testing.T) {
		t.Parallel()
		bob := newUser(t, "Bob")
		bob.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2)))
		bob.scrollThrough(server, "phone", phoneRoom, (*user).swipe)
	})
}

func TestViewStaysWhileMessagesArrive(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	sendConversation(t, server, "lobby", 60)
	ada := newUser(t, "Ada")
	ada.do(chromedp.EmulateViewport(1280, 800))
	ada.join(server, "lobby")
	ada.recordScrolling()
	eval[bool](ada, "recorder.turn(1)")
	ada.scrollWheel(-1)
	ada.wait("the page to scroll up", `recorder.isScrolledUp()`)
	sendConversation(t, server, "lobby", 500) // more than the page can hold, so it drops the newest
	ada.wait("the page to drop the newest messages", `document.querySelector("#status")?.dataset.state === "older"`)
	if got := eval[recording](ada, "recorder"); got.Jump > 1 || got.Peak > maxMessages || got.Holes > 0 {
		t.Errorf("got %+v, want Jump at most 1, Peak at most %d, and Holes 0", got, maxMessages)
	}
}

// scrollThrough fills a room and scrolls from its end to its beginning and back. Each kind of input
// loads the first pages in each direction. A script loads the rest.
func (u *user) scrollThrough(server *apptest.Server, room string, count int, inputs ...func(u *user, direction float64)) {
	u.t.Helper()
	sendConversation(u.t, server, room, count)
	u.join(server, room)
	u.recordScrolling()
	before, start := u.heapBytes(), time.Now()
	for _, direction := range []float64{-1, 1} {
		eval[bool](u, fmt.Sprintf("recorder.turn(%v)", direction))
		for _, scroll := range inputs {
			for until := eval[int](u, "recorder.loads") + pagesPerInput; eval[int](u, "recorder.loads") < until; {
				scroll(u, direction)
			}
		}
		eval[bool](u, "recorder.rest()")
		for !eval[bool](u, "recorder.read(5)") {
		}
		got, growth := eval[recording](u, "recorder"), u.heapBytes()-before
		u.t.Logf("%v: heaps of %.1f MB grew by %.1f MB, %+v", time.Since(start), before/1e6, growth/1e6, got)
		if got.Seen != count || got.Peak > maxMessages || got.Holes > 0 {
			u.t.Errorf("got %+v, want Seen %d, Peak at most %d, and Holes 0", got, count, maxMessages)
		}
		if got.Jump > 1 || got.Back > 1 || got.Shift > 0.01 {
			u.t.Errorf("the view jumped: got %+v, want Jump and Back at most 1, and Shift at most 0.01", got)
		}
		if growth > maxGrowth {
			u.t.Errorf("the page grew by %.1f MB, want at most %.1f", growth/1e6, maxGrowth/1e6)
		}
	}
	u.waitUpToDate()
}

// pressPageKey presses PageUp or PageDown. More messages arrive while the browser animates the
// scrolling.
func (u *user) pressPageKey(direction float64) {
	u.t.Helper()
	eval[bool](u, "recorder.load()")
	u.do(chromedp.KeyEvent(map[float64]string{-1: kb.PageUp, 1: kb.PageDown}[direction]))
	eval[bool](u, "recorder.loaded()")
}

// scrollWheel scrolls with the mouse wheel.
func (u *user) scrollWheel(direction float64) {
	u.t.Helper()
	u.wheel(640, 400, 700*direction)
}

// swipe swipes with one finger. The page keeps scrolling afterwards.
func (u *user) swipe(direction float64) {
	u.t.Helper()
	u.touch(input.DispatchTouchEventTypeTouchStart, &input.TouchPoint{X: 180, Y: 370 + 200*direction})
	for distance := 100.0; distance >= -200; distance -= 100 {
		u.touch(input.DispatchTouchEventTypeTouchMove, &input.TouchPoint{X: 180, Y: 370 + distance*direction})
	}
	u.touch(input.DispatchTouchEventTypeTouchEnd)
}

// heapBytes returns how many bytes of memory the page's script and document use.
func (u *user) heapBytes() float64 {
	u.t.Helper()
	call(u, heapprofiler.CollectGarbage, cdp.Empty{})
	usage := call(u, runtime.GetHeapUsage, cdp.Empty{})
	return usage.UsedSize + usage.EmbedderHeapUsedSize + usage.BackingStorageSize
}

func TestUnfoldingCodeKeepsItsPlace(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	code := "```\n" + strings.Repeat("x\n", 60) + "```"
	fillHistory(t, redis, server, "code", time.Minute, append(numbered(40), code, "below", code, "end")...)
	ada := newUser(t, "Ada")
	ada.join(server, "code")
	ada.runScript(`document.querySelectorAll("summary").forEach((summary, index) => (summary.id = "fold-" + index))`)
	toggleByKey := func(summary string) {
		ada.runScript(fmt.Sprintf(`document.querySelector(%q).focus({ preventScroll: true })`, summary))
		ada.press("Enter")
	}
	for _, toggle := range []func(summary string){ada.click, toggleByKey} {
		for _, summary := range []string{"#fold-1", "#fold-0"} {
			ada.runScript(fmt.Sprintf(`document.querySelector(%q).scrollIntoView({ block: "nearest", behavior: "instant" })`, summary))
			top := fmt.Sprintf(`document.querySelector(%q).getBoundingClientRect().top`, summary)
			before := eval[float64](ada, top)
			for _, open := range []bool{true, false} {
				toggle(summary)
				ada.wait("the code to be folded or unfolded", fmt.Sprintf(`document.querySelector(%q).parentElement.open === %v`, summary, open))
				if after := eval[float64](ada, top); math.Abs(after-before) > 1 {
					t.Errorf("%s, unfolded %v: moved from %v to %v, want a move of at most 1 pixel", summary, open, before, after)
				}
			}
		}
	}
}

func TestPageFollowsNewMessagesOnlyAtTheEnd(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	fillHistory(t, redis, here, "history", time.Minute, numbered(40)...)
	ada, bob := newUser(t, "Ada"), newUser(t, "Bob")
	ada.join(here, "history")
	bob.join(there, "history")

	inView := func(text string) string {
		return fmt.Sprintf(`((box) => box.top > 0 && box.bottom < innerHeight)(document.querySelector(%q).getBoundingClientRect())`, ada.messageSelector(text))
	}
	bob.send("at the end")
	ada.waitMessages("at the end")
	ada.wait("the message in view", inView("at the end"))
	ada.scrollIntoView(ada.messageSelector("message 10"))
	ada.wait("message 10 in view", inView("message 10"))
	bob.send("below the view")
	ada.waitMessages("below the view")
	ada.wait("the jump button", `!document.querySelector("#jump").hidden && document.querySelector("#jump").innerText === "New messages"`)
	if !eval[bool](ada, inView("message 10")) || eval[bool](ada, inView("below the view")) {
		t.Error("the view moved, want message 10 still in view and the new message below it")
	}
	ada.focus("#jump")
	ada.press("Enter")
	ada.wait("the newest message in view", inView("below the view")+` && document.querySelector("#jump").hidden`)
	ada.expect("the focused element, now that the button is gone,", `document.activeElement.id`, "scroller")
	expectMatchesServer(t, there, "history", ada, bob)
}

// A page may stay open and scrolled up for days while messages arrive.
func TestMessagesBelowTheViewLeakNoListeners(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	fillHistory(t, redis, server, "history", time.Minute, numbered(40)...)
	ada := newUser(t, "Ada")
	ada.join(server, "history")
	ada.runScript(`document.querySelector("#scroller").scrollTop = -300`)
	ada.waitAnimations()
	bob := server.SignIn("Bob")
	countListeners := func() (count int) {
		document := call(ada, runtime.Evaluate, runtime.EvaluateParams{Expression: "document"}).Result
		for _, one := range call(ada, domdebugger.GetEventListeners, domdebugger.GetEventListenersParams{ObjectID: document.ObjectID}).Listeners {
			if one.Type == "visibilitychange" {
				count++
			}
		}
		return count
	}
	before := countListeners()
	for n := range 5 {
		text := fmt.Sprintf("below %d", n)
		server.Post(bob, "history", client.NewKey(), text)
		ada.waitMessages(text)
	}
	if after := countListeners(); after > before {
		t.Errorf("got %d listeners for visibilitychange, want at most the %d before the messages", after, before)
	}
}
