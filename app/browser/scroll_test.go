//go:build unix

package browser

import (
	"cmp"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/domdebugger"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/uuid"
)

const (
	longRoom    = 10_000 // messages
	phoneRoom   = 2_500  // fewer, to take less of the machine
	mostInPage  = 300    // as timeline.js promises
	mostGrowth  = 20e6   // bytes of the page's heaps
	pagesByHand = 3      // loaded while scrolling by each means a person has
)

// watchPage has the page watch itself while it is scrolled through: what is in view
// after each frame, and where that is after each change of the messages. Both are
// read in the page, so that nothing can come between.
const watchPage = `Boolean(window.journey = (() => {
  const scroller = document.querySelector("#scroller"), log = document.querySelector("#messages");
  const edges = { "-1": document.querySelector("#older a"), "1": document.querySelector("#newer a") };
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  const top = (element) => element.getBoundingClientRect().top;
  const inView = () => {
    const view = scroller.getBoundingClientRect();
    return new Map([...log.querySelectorAll("article[id] > .body")]
      .map((body) => [body, body.getBoundingClientRect()])
      .filter(([, box]) => box.bottom > view.top && box.top < view.bottom)
      .map(([body, box]) => [body, box.top]));
  };
  const moved = (since) => [...since].map(([body, was]) => (body.isConnected ? top(body) - was : 1e6));
  const journey = { direction: -1, loads: 0, seen: 0, most: 0, holes: 0, jump: 0, back: 0, shift: 0 };
  const seen = new Set();
  let held, drawn;
  const hold = () => (held = inView());
  for (const type of ["scroll", "scrollend"]) addEventListener(type, hold, { capture: true }); // before the page hears of it

  const look = () => {
    const [step = 0] = moved([...drawn].filter(([body]) => body.isConnected).slice(0, 1));
    journey.back = Math.max(journey.back, step * journey.direction);
    drawn = hold();
    requestAnimationFrame(look);
  };
  const count = () => {
    const numbers = [...log.querySelectorAll("article")].map((article) => Number(article.dataset.n));
    numbers.forEach((n, i) => (seen.add(n), (journey.holes += i && n !== numbers[i - 1] + 1)));
    journey.seen = seen.size;
    journey.most = Math.max(journey.most, numbers.length);
  };
  new MutationObserver((changes) => {
    journey.loads += changes.some(({ addedNodes }) => [...addedNodes].some((node) => node.localName === "article"));
    journey.jump = Math.max(journey.jump, ...moved(held).map(Math.abs));
    count();
  }).observe(log, { childList: true });
  // The browser takes a reader's own scrolling in the frame of a load for a shift: by hand, jump and back alone tell, and what came
  // into view or left it did not shift.
  const within = ({ previousRect, currentRect }) => previousRect.height > 0 && currentRect.height > 0;
  const shifted = ({ value, sources }) => !journey.byHand && sources.some(within) && (journey.shift += value);
  new PerformanceObserver((list) => list.getEntries().forEach(shifted)).observe({ type: "layout-shift" });

  /** Waits until nothing moves. */
  journey.rest = async () => {
    for (let still = 0, at; still < 20; still = at === scroller.scrollTop ? still + 1 : 0, at = scroller.scrollTop) await frame();
    journey.byHand = false;
    return true;
  };
  /** Asks for more messages, which arrive once the browser scrolls. */
  journey.ask = async () => {
    const { fetch } = globalThis;
    let asked = false;
    globalThis.fetch = async (...what) => {
      globalThis.fetch = fetch;
      const answer = await fetch(...what);
      asked = true;
      await new Promise((resolve) => scroller.addEventListener("scroll", resolve, { once: true }));
      return answer;
    };
    journey.before = journey.loads;
    for (scroller.focus(); !asked; await frame()) edges[journey.direction].click();
    return true;
  };
  journey.away = () => scroller.scrollTop < -200;
  journey.answered = async () => {
    while (journey.loads === journey.before) await frame();
    return true;
  };
  journey.turn = (direction) => {
    journey.direction = direction;
    journey.byHand = true;
    drawn = hold();
    seen.clear();
    count();
    return true;
  };
  /** Reads some pages on, each time from near the end of what is loaded; tells whether that is the room's. */
  journey.read = async (pages) => {
    const { direction } = journey;
    while (!edges[direction].hidden && pages--) {
      const { loads } = journey;
      scroller.scrollTop = direction < 0 ? scroller.clientHeight - scroller.scrollHeight + 600 : -600;
      hold();
      while (journey.loads === loads) await frame();
      await frame(); // so that no step is in the frame of a load
    }
    if (edges[direction].hidden) scroller.scrollTop = direction < 0 ? -1e9 : 0;
    await frame();
    return edges[direction].hidden;
  };
  look((drawn = hold()));
  return journey;
})())`

// journey is what the page saw of itself.
type journey struct {
	Loads int     // pages that came
	Seen  int     // different messages in the page since the last turn
	Most  int     // messages in the page at once
	Holes int     // neighbours that are not neighbours in the room
	Jump  float64 // the furthest a change of the messages moved one in view, in pixels
	Back  float64 // the furthest a frame moved one against the direction of scrolling
	Shift float64 // the browser's own measure of layout shifts, of what stayed in view, but while it was scrolled by hand
}

func TestTenThousandMessagesAreScrolledThroughAndBack(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	t.Run("at a desk", func(t *testing.T) {
		t.Parallel()
		ada := newBrowserPerson(t, "Ada")
		ada.do(chromedp.EmulateViewport(1280, 800))
		ada.scrollThrough(server, "long", longRoom, (*browserPerson).pageKey, (*browserPerson).wheel)
	})
	t.Run("on a phone", func(t *testing.T) {
		t.Parallel()
		bob := newBrowserPerson(t, "Bob")
		bob.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2)))
		bob.scrollThrough(server, "phone", phoneRoom, (*browserPerson).swipe)
	})
}

func TestViewStaysWhereItIsReadWhileOthersTalk(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	fillRoom(t, server, "lobby", 60)
	ada := newBrowserPerson(t, "Ada")
	ada.do(chromedp.EmulateViewport(1280, 800))
	ada.join(server, "lobby")
	see[bool](ada, watchPage+" && journey.turn(1)")
	ada.wheel(-1)
	ada.wait("the view to be above the end", `journey.away()`)
	fillRoom(t, server, "lobby", 500) // more than the page keeps: the newest are not in it
	ada.wait("most of them to be left out", `document.querySelector("#truth").dataset.state === "past"`)
	if got := see[journey](ada, "journey"); got.Jump > 1 || got.Most > mostInPage || got.Holes > 0 {
		t.Errorf("the view jumped: %+v", got)
	}
}

// scrollThrough reads a room of so many messages from its end to its beginning and back,
// the first pages of each way by each of the means.
func (p *browserPerson) scrollThrough(server *apptest.Server, room string, count int, means ...func(p *browserPerson, direction float64)) {
	p.t.Helper()
	fillRoom(p.t, server, room, count)
	p.join(server, room)
	see[bool](p, watchPage)
	before, began := p.heaps(), time.Now()
	for _, direction := range []float64{-1, 1} {
		see[bool](p, fmt.Sprintf("journey.turn(%v)", direction))
		for _, scroll := range means {
			for until := see[int](p, "journey.loads") + pagesByHand; see[int](p, "journey.loads") < until; {
				scroll(p, direction)
			}
		}
		see[bool](p, "journey.rest()")
		for !see[bool](p, "journey.read(5)") {
		}
		got, grown := see[journey](p, "journey"), p.heaps()-before
		p.t.Logf("%v: heaps %.1f MB and %+.1f MB, %+v", time.Since(began), before/1e6, grown/1e6, got)
		if got.Seen != count || got.Most > mostInPage || got.Holes > 0 {
			p.t.Errorf("want all %d messages, at most %d at once, in order", count, mostInPage)
		}
		if got.Jump > 1 || got.Back > 1 || got.Shift > 0.01 {
			p.t.Error("the view jumped")
		}
		if grown > mostGrowth {
			p.t.Errorf("the page grew by %.1f MB", grown/1e6)
		}
	}
	p.upToDate()
}

// pageKey presses the key that goes a page on. The browser glides there, and meanwhile
// more messages come.
func (p *browserPerson) pageKey(direction float64) {
	p.t.Helper()
	see[bool](p, "journey.ask()")
	p.do(chromedp.KeyEvent(map[float64]string{-1: kb.PageUp, 1: kb.PageDown}[direction]))
	see[bool](p, "journey.answered()")
}

// wheel turns the wheel of a mouse, or moves two fingers on a pad.
func (p *browserPerson) wheel(direction float64) {
	p.t.Helper()
	turn := input.DispatchMouseEventParams{
		Type: input.DispatchMouseEventTypeMouseWheel, X: 640, Y: 400, DeltaX: 0.001 /* 0 is left out */, DeltaY: 700 * direction,
	}
	if _, err := chromedp.Call(p.ctx, input.DispatchMouseEvent, turn); err != nil {
		p.t.Fatal(err)
	}
}

// swipe swipes with a finger, and what is swiped flies on.
func (p *browserPerson) swipe(direction float64) {
	p.t.Helper()
	touch := func(kind input.DispatchTouchEventType, points ...*input.TouchPoint) {
		params := input.DispatchTouchEventParams{Type: kind, TouchPoints: append([]*input.TouchPoint{}, points...)}
		if _, err := chromedp.Call(p.ctx, input.DispatchTouchEvent, params); err != nil {
			p.t.Fatal(err)
		}
	}
	touch(input.DispatchTouchEventTypeTouchStart, &input.TouchPoint{X: 180, Y: 370 + 200*direction})
	for way := 100.0; way >= -200; way -= 100 {
		touch(input.DispatchTouchEventTypeTouchMove, &input.TouchPoint{X: 180, Y: 370 + way*direction})
	}
	touch(input.DispatchTouchEventTypeTouchEnd)
}

// heaps is how much memory the page's script and document use, in bytes.
func (p *browserPerson) heaps() float64 {
	p.t.Helper()
	chromedp.Call(p.ctx, heapprofiler.CollectGarbage, cdp.Empty{})
	usage, err := chromedp.Call(p.ctx, runtime.GetHeapUsage, cdp.Empty{})
	if err != nil {
		p.t.Fatal(err)
	}
	return usage.UsedSize + usage.EmbedderHeapUsedSize + usage.BackingStorageSize
}

// fillRoom has people talk without a pause: one of them most of the time, so that most
// messages go without a heading until others come before them, and of all sizes.
func fillRoom(t *testing.T, server *apptest.Server, room string, count int) {
	t.Helper()
	var talking sync.WaitGroup
	said := map[string][]string{}
	for i := range count {
		author := map[int]string{3: "Dan", 7: "Eve"}[i%20]
		said[author] = append(said[author], messageOf(i))
	}
	for name, texts := range said {
		talker, err := dial(server.URL(), server.SignIn(cmp.Or(name, "Cleo")))
		if err != nil {
			t.Fatal(err)
		}
		defer talker.cut()
		talking.Go(func() {
			for _, text := range texts {
				talker.say(map[string]any{"type": "send", "room": room, "key": uuid.NewString(), "text": text})
			}
		})
		talking.Go(func() {
			for range texts {
				if answer, err := talker.hear(); err != nil || answer.Type != "stored" {
					t.Errorf("%+v, %v", answer, err)
					return
				}
			}
		})
	}
	talking.Wait()
}

// messageOf is a message as people write them: most are short, some are not.
func messageOf(i int) string {
	switch {
	case i%31 == 0:
		return fmt.Sprintf("look at %d\n```go\nfunc f%d() {\n\treturn %d\n}\n```", i, i, i)
	case i%17 == 0:
		return fmt.Sprintf("%d:\n- one\n- two\n\n> three", i)
	case i%13 == 0:
		return fmt.Sprintf("%d %s", i, strings.Repeat("and so on ", i%90))
	}
	return fmt.Sprintf("message %d", i)
}

// A page that is looked at for days, and not at its end, is told of every message.
func TestWhatComesBelowTheViewLeavesNoListenerBehind(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	tell(t, redis, server, "tales", time.Minute, story(40)...)
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "tales")
	ada.runs(`document.querySelector("#scroller").scrollTop = -300`)
	ada.rests()
	bob := server.SignIn("Bob")
	listeners := func() (count int) {
		document := command(ada, runtime.Evaluate, runtime.EvaluateParams{Expression: "document"}).Result
		for _, one := range command(ada, domdebugger.GetEventListeners, domdebugger.GetEventListenersParams{ObjectID: document.ObjectID}).Listeners {
			if one.Type == "visibilitychange" {
				count++
			}
		}
		return count
	}
	before := listeners()
	for n := range 5 {
		text := fmt.Sprintf("below %d", n)
		server.Post(bob, "tales", uuid.NewString(), text)
		ada.shows(text)
	}
	if after := listeners(); after > before {
		t.Errorf("%d listeners for the page's being seen have become %d", before, after)
	}
}
