//go:build unix

package browser

import (
	"fmt"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
)

func TestAFingerHoldsAMessageAndTheButtonSends(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	ada := newBrowserPerson(t, "Ada")
	ada.looksWith(phone, "light")
	ada.join(server, "lobby")
	ada.click("#composer textarea")
	ada.types("one")
	ada.press("Enter")
	ada.types("two")
	ada.expect("what is written", `document.querySelector("#composer textarea").value`, "one\ntwo")
	ada.click("#composer > button")
	ada.shows("one\ntwo")

	const open = `document.querySelector("#toolbar").checkVisibility()`
	ada.holds("#messages .body", open)
	ada.click(`#toolbar [data-emoji="🎉"]`)
	ada.wait("the reaction", `document.querySelector("#messages .chip")?.textContent === "🎉 1"`)
	ada.holds("#messages .chip", `document.querySelector("#said").innerText === "🎉 you"`)
	ada.expect("the reaction", `document.querySelector("#messages .chip").textContent`, "🎉 1")

	// What is held may be made anew under the finger; to lift it presses nothing all the same.
	held := see[[]bool](ada, `(async () => {
		const chip = document.querySelector("#messages .chip"), other = document.querySelector("#messages .body");
		const press = (one) => one.dispatchEvent(new PointerEvent("pointerdown", { pointerType: "touch", isPrimary: true, bubbles: true }));
		const lifts = (one) => !one.dispatchEvent(new TouchEvent("touchend", { bubbles: true, cancelable: true }));
		document.querySelector("#said").innerText = "";
		press(chip);
		while (document.querySelector("#said").innerText === "") await new Promise(requestAnimationFrame);
		chip.replaceWith(chip.cloneNode(true));
		const long = lifts(chip);
		press(other);
		return [long, lifts(other)];
	})()`)
	if !held[0] || held[1] {
		t.Errorf("a long press is held back: %v; and so is a short one after it: %v", held[0], held[1])
	}

	// The newest message is at the end of the page, where the toolbar is, and is seen all the same.
	tell(t, redis, server, "tales", time.Minute, story(40)...)
	ada.open(server, "/r/tales")
	ada.upToDate()
	tale := ada.message("tale 40")
	ada.holds(tale+" .body", open)
	ada.wait("the message to be marked, above the toolbar", fmt.Sprintf(`(({ dataset, lastElementChild }) => dataset.meant === "" &&
		lastElementChild.getBoundingClientRect().bottom <= document.querySelector("#toolbar").getBoundingClientRect().top)(document.querySelector(%q))`, tale))
	ada.expect("whose it is", `document.querySelector("#toolbar bdi").innerText`, "Storyteller")
	ada.click("#composer textarea")
	ada.wait("no toolbar and no mark", `!`+open+` && !document.querySelector("[data-meant]")`)
	ada.write("three")
	ada.click("#composer > button")
	ada.holds(ada.message("three")+" .body", open)
	ada.click("#toolbar [name=delete]")
	ada.wait("to be asked in words", `((button) => getComputedStyle(button, "::after").content.includes("Press again") && button.offsetWidth > 300)(document.querySelector("#toolbar [name=delete]"))`)
	ada.click("#toolbar [name=delete]")
	ada.shows("This message was deleted.")
}

func TestTheWheelTurnsOverTheToolbarToo(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	tell(t, redis, server, "tales", time.Minute, story(40)...)
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "tales")
	ada.hover(ada.message("tale 39") + " .body")
	at := see[[]float64](ada, `(({ x, y }) => [x + 30, y + 15])(document.querySelector("#toolbar").getBoundingClientRect())`)
	for n := range 2 {
		turn := input.DispatchMouseEventParams{Type: "mouseWheel", X: at[0], Y: at[1], DeltaX: 0.001 /* 0 is left out */, DeltaY: -300}
		command(ada, input.DispatchMouseEvent, turn)
		ada.wait("the messages to move", fmt.Sprintf(`document.querySelector("#scroller").scrollTop <= %d`, -299*(n+1)))
	}
}

// holds keeps a finger on an element until something holds, and lifts it.
func (p *browserPerson) holds(selector, until string) {
	p.t.Helper()
	p.rests()
	at := see[[]float64](p, fmt.Sprintf(`(({ x, y, width, height }) => [x + width / 2, y + height / 2])(document.querySelector(%q).getBoundingClientRect())`, selector))
	command(p, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: "touchStart", TouchPoints: []*input.TouchPoint{{X: at[0], Y: at[1]}}})
	p.wait("a finger on "+selector, until)
	command(p, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: "touchEnd", TouchPoints: []*input.TouchPoint{}})
}

func TestTwoFingersMakeThePageLargerAndBringUpNoToolbar(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newBrowserPerson(t, "Ada")
	ada.looksWith(phone, "light")
	ada.join(server, "lobby")
	ada.write("look closely")
	ada.click("#composer > button")
	ada.shows("look closely")
	ada.rests()
	at := see[[]float64](ada, `(({ x, y, width, height }) => [x + width / 2, y + height / 2])(document.querySelector("#messages .body").getBoundingClientRect())`)
	one, two := &input.TouchPoint{ID: new(1.0), X: at[0] - 5, Y: at[1]}, &input.TouchPoint{ID: new(2.0), X: at[0] + 5, Y: at[1]}
	touch := func(kind input.DispatchTouchEventType, points ...*input.TouchPoint) {
		command(ada, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: append([]*input.TouchPoint{}, points...)})
	}
	touch("touchStart", one)
	touch("touchStart", one, two)
	see[bool](ada, `new Promise((resolve) => setTimeout(() => resolve(true), 700))`)
	touch("touchEnd")
	ada.expect("the toolbar", `String(document.querySelector("#toolbar").checkVisibility())`, "false")
}

func TestDrawersOfAPhoneAreClosedAndTheMenuGivesTheRoomATopic(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newBrowserPerson(t, "Ada")
	ada.looksWith(phone, "light")
	ada.join(server, "lobby")
	const open = `[...document.querySelectorAll(":popover-open")].map((one) => one.id).join()`
	for _, side := range []string{"rooms", "people"} {
		ada.click(".bar [popovertarget=" + side + "]")
		ada.expect("what is open", open, side)
		ada.click("#" + side + " .close")
		ada.expect("what is open", open, "")
	}
	ada.click(".bar [popovertarget=tools]")
	ada.click("#tools [popovertarget=topic]")
	ada.rests()
	ada.types("Tea")
	ada.press("Enter")
	ada.wait("the topic", `document.querySelector("#topic-button").innerText === "Tea"`)
	ada.wait("nothing to be open", open+` === ""`)
}

func TestFingersHaveRoom(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.ada.looksWith(phone, "light")
	s.ada.open(s.Server, "/r/lobby")
	s.ada.upToDate()
	// How far from its middle a control is still hit: 21 pixels, for 22 is its edge.
	s.ada.expect("what is too small for a finger", `[...document.querySelectorAll(".bar .icon, .chip, #composer > button")].filter((one) => {
		if (!one.checkVisibility()) return false;
		one.scrollIntoView();
		const { x, y, width, height } = one.getBoundingClientRect();
		return [[-21, 0], [21, 0], [0, -21], [0, 21]].some(([right, down]) => !one.contains(document.elementFromPoint(x + width / 2 + right, y + height / 2 + down)));
	}).map((one) => one.outerHTML.slice(0, 80)).join("\n")`, "")
}

func TestNothingMovesForThoseWhoAskedForThat(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "lobby")
	ada.write("hello")
	ada.shows("hello")
	// The jump button rises, and the dot of the truth line breathes.
	const moves = `(() => {
		document.querySelector("#jump").hidden = false;
		document.querySelector("#truth").dataset.state = "catching";
		return document.getAnimations().filter((one) => one.effect.getComputedTiming().duration > 1).length;
	})()`
	if still := see[int](ada, moves); still < 1 {
		t.Errorf("%d things move for everybody else", still)
	}
	command(ada, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	if still := see[int](ada, moves); still > 0 {
		t.Errorf("%d things move", still)
	}
}

func TestForcedColoursHideNothing(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "lobby")
	ada.write("hello")
	ada.shows("hello")
	command(ada, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "forced-colors", Value: "active"}},
	})
	ada.expect("the edges", `["#messages .body", "#room-list [aria-current]"].map((one) => getComputedStyle(document.querySelector(one)).borderInlineStartStyle).join()`, "solid,solid")
	ada.expect("the dot's colour", `getComputedStyle(document.querySelector("#truth"), "::before").backgroundColor`, see[string](ada, `getComputedStyle(document.querySelector(".body")).color`))
}
