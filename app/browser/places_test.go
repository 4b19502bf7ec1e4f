//go:build unix

package browser

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// tell fills a room with messages, the newest of now and each older one that much older.
// Nobody may have looked at the room yet.
func tell(t *testing.T, server *redistest.Server, p *apptest.Server, room string, apart time.Duration, texts ...string) (times []time.Time) {
	t.Helper()
	token := p.SignIn("Storyteller")
	for _, text := range texts {
		if status, body := p.Post(token, room, uuid.NewString(), text); status != 201 {
			t.Fatalf("post: %d %s", status, body)
		}
	}
	client := server.Client()
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	keys, err := client.Keys(ctx, "*:room:"+room).Result()
	if err != nil || len(keys) != 1 {
		t.Fatalf("keys %q: %v", keys, err)
	}
	entries := apptest.Entries(t, server, room)
	client.Del(ctx, keys[0])
	for i, entry := range entries {
		at := time.Now().Add(-apart * time.Duration(len(entries)-1-i))
		times = append(times, at)
		if err := client.XAdd(ctx, &redis.XAddArgs{Stream: keys[0], ID: fmt.Sprintf("%d-0", at.UnixMilli()), Values: entry.Values}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	return times
}

// story is so many texts: "tale 1", "tale 2".
func story(count int) (texts []string) {
	for i := range count {
		texts = append(texts, fmt.Sprintf("tale %d", i+1))
	}
	return texts
}

func TestPlacesOfTheRoomAreLinkedJumpedToAndLeft(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	times := tell(t, redis, here, "tales", time.Hour, story(280)...) // more than a week
	ada, bob := newBrowserPerson(t, "Ada"), newBrowserPerson(t, "Bob")
	ada.join(here, "tales")
	bob.join(there, "tales")

	// Each day has its line; messages more than five minutes apart have their headings.
	ada.wait("headings", `document.querySelectorAll(".message").length === 50 && !document.querySelector("[data-continued]")`)
	ada.wait("lines of days", `[...document.querySelectorAll(".day")].map((day) => day.innerText).slice(-2).join() === "Yesterday,Today"`)

	// The time of a message is its link. Opened elsewhere it shows that place, with what is around it.
	link := see[string](bob, `document.querySelector("`+bob.message("tale 270")+` .when").href`)
	ada.open(here, strings.Replace(link, there.URL(), "", 1))
	ada.expectPlace("tale 270", "live")

	// One that is no more says so, until one leaves.
	ada.forgive("404")
	ada.open(here, fmt.Sprintf("/r/tales/%d-7", times[99].UnixMilli()))
	ada.wait("the truth of it", `document.querySelector("#truth").dataset.state === "past"`)
	ada.shows("tale 99", "tale 101")
	ada.expect("what became of it", `document.querySelector(".below [role=alert]").innerText`, "That message is not here any more.")
	ada.press("Escape")
	ada.shows("tale 280")
	ada.wait("no word of it", `!document.querySelector(".below [role=alert]")`)

	ada.open(here, fmt.Sprintf("/r/tales/%d-0", times[99].UnixMilli()))
	ada.expectPlace("tale 100", "past")
	ada.shows("tale 80", "tale 120")
	ada.open(here, "/r/tales?at="+times[99].Add(-time.Minute).UTC().Format(time.RFC3339))
	ada.expectPlace("tale 100", "past")
	ada.wait("no toolbar: nobody asked for it", `document.querySelector("#toolbar").hidden`)

	// While a day is read its line stays above.
	// (Looked at all at once: older messages may come, and another line is the second one then.)
	ada.expect("how far below the edge the day is, and whether it covers what was gone to", `((line) => {
		const gone = line.nextElementSibling.nextElementSibling;
		gone.scrollIntoView();
		const { top, bottom } = line.getBoundingClientRect();
		return [top - document.querySelector("#scroller").getBoundingClientRect().top, bottom > gone.getBoundingClientRect().top].join();
	})(document.querySelectorAll(".day")[1])`, "0,false")

	// From there it reads on in both directions, and back to now is one key.
	ada.do(chromedp.ScrollIntoView(chromedp.CSS("#newer")))
	ada.shows("tale 150")
	ada.do(chromedp.ScrollIntoView(chromedp.CSS("#older")))
	ada.shows("tale 50")
	ada.expect("the button", `document.querySelector("#jump").innerText`, "Jump to latest")
	ada.press("Escape")
	ada.shows("tale 280")
	ada.upToDate()
	ada.expect("the address", `location.pathname`, "/r/tales")

	// A calendar that was opened by mistake is closed without going anywhere.
	for _, close := range []func(){
		func() { ada.click("#calendar [name=close]") },
		func() { ada.do(chromedp.MouseClickXY(10, 790)) },
	} {
		ada.click("#open-calendar")
		ada.wait("the calendar", `document.querySelector("#calendar").open`)
		close()
		ada.wait("no calendar", `!document.querySelector("#calendar").open && location.search === ""`)
	}

	// A date in the calendar, its address, and going back in the browser.
	ada.click("#open-calendar")
	ada.do(chromedp.SetValue(chromedp.CSS("#calendar input"), times[29].Add(-time.Minute).UTC().Format("2006-01-02T15:04")))
	ada.click("#calendar button")
	ada.expectPlace("tale 30", "past")
	bob.open(there, see[string](ada, `location.pathname + location.search`))
	bob.expectPlace("tale 30", "past")
	ada.do(chromedp.NavigateBack())
	ada.upToDate()

	// What is written while another place is shown leads to now.
	bob.write("the end")
	bob.shows("the end")
	bob.upToDate()
	ada.shows("the end")
	ada.wait("it to be read", `document.title === "#tales · Burble"`) // and not scrolled away from before
	for _, p := range []*browserPerson{ada, bob} {
		for !see[bool](p, `document.querySelector("#older a").hidden`) {
			before := see[int](p, `document.querySelectorAll(".message").length`)
			p.do(chromedp.ScrollIntoView(chromedp.CSS("#older")))
			p.wait("older messages", fmt.Sprintf(`document.querySelectorAll(".message").length > %d || document.querySelector("#older a").hidden`, before))
		}
	}
	expectStream(t, here, "tales", ada, bob)

	// At an older place what is new lies below, and no link says that it is above.
	ada.open(here, "/")
	bob.write("one more")
	ada.waitCount("tales", 1, 0)
	ada.open(here, fmt.Sprintf("/r/tales/%d-0", times[99].UnixMilli()))
	ada.expectPlace("tale 100", "past")
	ada.wait("no link up", `document.querySelector("#unread").hidden`)
	ada.press("Escape")
	ada.expectNew("one more")
}

// expectPlace waits until a message is the one that was gone to, in view, and the truth
// line says so.
func (p *browserPerson) expectPlace(text, truth string) {
	p.t.Helper()
	p.wait("being at "+text, fmt.Sprintf(`((message) => message && message.ariaCurrent === "true" && message.getBoundingClientRect().top > 0 &&
		message.getBoundingClientRect().bottom < innerHeight && document.activeElement === message)(document.querySelector(%q))`, p.message(text)))
	p.wait("the truth of it", `document.querySelector("#truth").dataset.state === "`+truth+`"`)
}

// Who asks for another place before the first has come means that one.
func TestTheLastPlaceAskedForIsTheOneGoneTo(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	times := tell(t, redis, server, "tales", time.Hour, story(280)...)
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "tales")
	path := func(tale int) string { return fmt.Sprintf("/r/tales/%d-0", times[tale-1].UnixMilli()) }
	goTo := func(tale int) {
		t.Helper()
		ada.runs(fmt.Sprintf(`history.pushState(null, "", %q); dispatchEvent(new PopStateEvent("popstate"))`, path(tale)))
	}
	ada.runs(`const real = fetch; globalThis.fetch = async (...asked) => {
		const answer = await real(...asked);
		if (globalThis.hold) await new Promise((resolve) => { hold = false; globalThis.letGo = resolve; });
		return answer;
	}`)
	later := func(first func()) {
		t.Helper()
		ada.runs(`globalThis.hold = true; globalThis.letGo = null`)
		first()
		ada.wait("the first to be asked for", `globalThis.letGo`)
	}
	expect := func(tale int) {
		t.Helper()
		ada.runs(`letGo(); for (let frames = 0; frames < 5; frames++) await new Promise(requestAnimationFrame)`)
		ada.expectPlace(fmt.Sprintf("tale %d", tale), "past")
		ada.expect("the address", `location.pathname`, path(tale))
		ada.expect("what is said", `document.querySelector("#said").innerText`, "")
	}

	later(func() { goTo(30) })
	goTo(100)
	ada.expectPlace("tale 100", "past")
	expect(100)
	later(func() { ada.press("Escape") })
	goTo(200)
	ada.expectPlace("tale 200", "past")
	expect(200)
}

func TestMyLastMessageIsChangedFromAmongOlderOnesToo(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	times := tell(t, redis, server, "tales", time.Hour, story(120)...)
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "tales")
	ada.write("my last")
	ada.shows("my last")
	ada.open(server, fmt.Sprintf("/r/tales/%d-0", times[29].UnixMilli()))
	ada.expectPlace("tale 30", "past")
	ada.click("#composer textarea")
	ada.press("ArrowUp")
	ada.wait("it to be changed", `document.querySelector("#composer textarea").value === "my last"`)
	ada.types(", changed")
	ada.press("Enter")
	ada.shows("my last, changed")
	ada.upToDate()
}

func TestSearchFindsNewestFirstAndLeadsThere(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	texts := story(150)
	texts[9], texts[139] = "a Needle in hay", "another needle"
	tell(t, redis, here, "tales", time.Minute, texts...)
	ada, bob := newBrowserPerson(t, "Ada"), newBrowserPerson(t, "Bob")
	ada.join(here, "tales")
	bob.join(there, "tales")
	bob.write("no needles of mine")
	ada.shows("no needles of mine")

	results := `[...document.querySelectorAll("#search li")].map((row) => row.querySelector("b").innerText + ": " + row.querySelector("p").innerText).join("; ")`
	ada.click("#scroller")
	ada.press("/")
	ada.wait("the search", `document.activeElement.name === "q"`)
	ada.types("needle")
	ada.press("Enter")
	ada.wait("the end of it", `document.querySelector("#search [role=status]").innerText === "3 messages in the whole room."`)
	ada.expect("what was found", results, "Bob: no needles of mine; Storyteller: another needle; Storyteller: a Needle in hay")
	ada.expect("what is marked", `[...document.querySelectorAll("#search mark")].map((mark) => mark.innerText).join()`, "needle,needle,Needle")
	ada.click("#search li:last-child a")
	ada.expectPlace("a Needle in hay", "past")
	ada.press("Escape")
	ada.shows("no needles of mine")
	ada.upToDate()

	ada.click("#open-search")
	ada.wait("the search", `document.activeElement.name === "q"`)
	ada.wipe()
	ada.types("from:bob needle")
	ada.press("Enter")
	ada.wait("the end of it", `document.querySelector("#search [role=status]").innerText === "1 message in the whole room."`)
	ada.press("Escape")
	ada.wait("no search", `!document.querySelector("#search").open`)
	ada.wait("the newest", `document.querySelectorAll(".message").length === 50`)

	ada.forgive("503")
	redis.Kill()
	ada.waitTruth("away", "Chat storage is unavailable")
	ada.click("#open-search")
	ada.wait("the search", `document.activeElement.name === "q"`)
	ada.press("Enter")
	ada.wait("why nothing is found", `document.querySelector("#search [role=status]").innerText === "Chat storage isn’t responding. Try again in a moment."`)
}

func TestPageFollowsTheEndOnlyWhenThere(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	tell(t, redis, here, "tales", time.Minute, story(40)...)
	ada, bob := newBrowserPerson(t, "Ada"), newBrowserPerson(t, "Bob")
	ada.join(here, "tales")
	bob.join(there, "tales")

	inView := func(text string) string {
		return fmt.Sprintf(`((box) => box.top > 0 && box.bottom < innerHeight)(document.querySelector(%q).getBoundingClientRect())`, ada.message(text))
	}
	bob.write("at the end")
	ada.shows("at the end")
	ada.wait("it to be in view", inView("at the end"))
	ada.do(chromedp.ScrollIntoView(chromedp.CSS(ada.message("tale 10"))))
	ada.wait("the place", inView("tale 10"))
	bob.write("below the view")
	ada.shows("below the view")
	ada.wait("the button", `!document.querySelector("#jump").hidden && document.querySelector("#jump").innerText === "New messages"`)
	if !see[bool](ada, inView("tale 10")) || see[bool](ada, inView("below the view")) {
		t.Error("the view moved")
	}
	ada.do(chromedp.Focus(chromedp.CSS("#jump")))
	ada.press("Enter")
	ada.wait("the newest in view", inView("below the view")+` && document.querySelector("#jump").hidden`)
	ada.expect("what has the focus, for the button is gone", `document.activeElement.id`, "scroller")
	expectStream(t, there, "tales", ada, bob)
}

// Safari has no closedby.
func TestADialogIsClosedByAPressBesideItAndNotInIt(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "lobby")
	ada.runs(`delete HTMLDialogElement.prototype.closedBy; for (const one of document.querySelectorAll("dialog")) one.removeAttribute("closedby")`)
	ada.click("#open-search")
	ada.wait("the search", `document.querySelector("#search").open`)
	press := func(right, down float64) {
		t.Helper()
		at := see[[]float64](ada, `(({ x, y }) => [x, y])(document.querySelector("#search").getBoundingClientRect())`)
		for _, kind := range []input.DispatchMouseEventType{"mousePressed", "mouseReleased"} {
			command(ada, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: kind, X: at[0] + right, Y: at[1] + down, Button: "left", ClickCount: 1})
		}
	}
	press(5, 60)
	ada.expect("whether the search is open", `String(document.querySelector("#search").open)`, "true")
	press(-5, 60)
	ada.wait("the search to be closed", `!document.querySelector("#search").open`)
}
