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

func TestLongPressOpensTheToolbarAndTheButtonSends(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	ada := newUser(t, "Ada")
	ada.emulate(phone, "light")
	ada.join(server, "lobby")
	ada.click("#composer textarea")
	ada.typeText("one")
	ada.press("Enter")
	ada.typeText("two")
	ada.expectComposer("one\ntwo")
	ada.click("#composer > button")
	ada.waitMessages("one\ntwo")

	const toolbarOpen = `document.querySelector("#toolbar").checkVisibility()`
	ada.longPress("#messages .body", toolbarOpen)
	ada.click(`#toolbar [data-emoji="🎉"]`)
	ada.wait("the reaction", `document.querySelector("#messages .reaction")?.textContent === "🎉 1"`)
	ada.longPress("#messages .reaction", `document.querySelector("#toast").innerText === "🎉 you"`)
	ada.expect("the reaction", `document.querySelector("#messages .reaction").textContent`, "🎉 1")

	// Even if the page replaces the reaction during a long press, lifting the finger must not click.
	prevented := eval[[]bool](ada, `(async () => {
		const chip = document.querySelector("#messages .reaction"), body = document.querySelector("#messages .body");
		const press = (one) => one.dispatchEvent(new PointerEvent("pointerdown", { pointerType: "touch", isPrimary: true, bubbles: true }));
		const lift = (one) => !one.dispatchEvent(new TouchEvent("touchend", { bubbles: true, cancelable: true }));
		document.querySelector("#toast").innerText = "";
		press(chip);
		while (document.querySelector("#toast").innerText === "") await new Promise(requestAnimationFrame);
		chip.replaceWith(chip.cloneNode(true));
		const long = lift(chip);
		press(body);
		return [long, lift(body)];
	})()`)
	if !prevented[0] || prevented[1] {
		t.Errorf("the click is prevented: %v after a long press, want true; %v after a short one, want false", prevented[0], prevented[1])
	}

	// The toolbar opens at the end of the page, and does not cover the newest message.
	fillHistory(t, redis, server, "history", time.Minute, numbered(40)...)
	ada.open(server, "/r/history")
	ada.waitUpToDate()
	message := ada.messageSelector("message 40")
	ada.longPress(message+" .body", toolbarOpen)
	ada.wait("the marked message to be above the toolbar", fmt.Sprintf(`(({ dataset, lastElementChild }) => dataset.selected === "" &&
		lastElementChild.getBoundingClientRect().bottom <= document.querySelector("#toolbar").getBoundingClientRect().top)(document.querySelector(%q))`, message))
	ada.expect("the author in the toolbar", `document.querySelector("#toolbar bdi").innerText`, "Historian")
	ada.click("#composer textarea")
	ada.wait("the toolbar to close", `!`+toolbarOpen+` && !document.querySelector("[data-selected]")`)
	ada.send("three")
	ada.click("#composer > button")
	ada.longPress(ada.messageSelector("three")+" .body", toolbarOpen)
	ada.click("#toolbar [name=delete]")
	ada.wait("the question", `((button) => getComputedStyle(button, "::after").content.includes("Press again") && button.offsetWidth > 300)(document.querySelector("#toolbar [name=delete]"))`)
	ada.click("#toolbar [name=delete]")
	ada.waitMessages("This message was deleted.")
}

func TestWheelScrollsOverTheToolbarToo(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	fillHistory(t, redis, server, "history", time.Minute, numbered(40)...)
	ada := newUser(t, "Ada")
	ada.join(server, "history")
	ada.hover(ada.messageSelector("message 39") + " .body")
	at := eval[[]float64](ada, `(({ x, y }) => [x + 30, y + 15])(document.querySelector("#toolbar").getBoundingClientRect())`)
	for n := range 2 {
		ada.wheel(at[0], at[1], -300)
		ada.wait("the messages to scroll", fmt.Sprintf(`document.querySelector("#scroller").scrollTop <= %d`, -299*(n+1)))
	}
}

func TestPinchOpensNoToolbar(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newUser(t, "Ada")
	ada.emulate(phone, "light")
	ada.join(server, "lobby")
	ada.send("look closely")
	ada.click("#composer > button")
	ada.waitMessages("look closely")
	ada.waitAnimations()
	x, y := ada.center("#messages .body")
	one, two := &input.TouchPoint{ID: new(1.0), X: x - 5, Y: y}, &input.TouchPoint{ID: new(2.0), X: x + 5, Y: y}
	ada.touch("touchStart", one)
	ada.touch("touchStart", one, two)
	ada.runScript(`await new Promise((resolve) => setTimeout(resolve, 700))`) // longer than a long press takes
	ada.touch("touchEnd")
	ada.expect("whether the toolbar is open", `String(document.querySelector("#toolbar").checkVisibility())`, "false")
}

func TestPhonePanelsCloseAndTheMenuSetsTheTopic(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newUser(t, "Ada")
	ada.emulate(phone, "light")
	ada.join(server, "lobby")
	const open = `[...document.querySelectorAll(":popover-open")].map((one) => one.id).join()`
	for _, side := range []string{"rooms", "people"} {
		ada.click(".bar [popovertarget=" + side + "]")
		ada.expect("the open panel", open, side)
		ada.click("#" + side + " .close")
		ada.expect("the open panel", open, "")
	}
	ada.click(".bar [popovertarget=tools]")
	ada.click("#tools [popovertarget=topic]")
	ada.waitAnimations()
	ada.typeText("Tea")
	ada.press("Enter")
	ada.wait("the topic", `document.querySelector("#topic-button").innerText === "Tea"`)
	ada.wait("the panels to close", open+` === ""`)
}

func TestTouchTargetsAreLargeEnough(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	s := newSample(t)
	s.ada.emulate(phone, "light")
	s.ada.open(s.Server, "/r/lobby")
	s.ada.waitUpToDate()
	// A target is at least 44 pixels wide and high, so it must react 21 pixels from its center.
	s.ada.expect("the list of targets that are too small", `[...document.querySelectorAll(".bar .icon, .reaction, #composer > button")].filter((one) => {
		if (!one.checkVisibility()) return false;
		one.scrollIntoView();
		const { x, y, width, height } = one.getBoundingClientRect();
		return [[-21, 0], [21, 0], [0, -21], [0, 21]].some(([right, down]) => !one.contains(document.elementFromPoint(x + width / 2 + right, y + height / 2 + down)));
	}).map((one) => one.outerHTML.slice(0, 80)).join("\n")`, "")
}

func TestReducedMotionStopsAnimations(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newUser(t, "Ada")
	ada.join(server, "lobby")
	ada.send("hello")
	ada.waitMessages("hello")
	// The jump button slides in, and the dot of the status line pulses.
	const countAnimations = `(() => {
		document.querySelector("#jump").hidden = false;
		document.querySelector("#status").dataset.state = "catching-up";
		return document.getAnimations().filter((one) => one.effect.getComputedTiming().duration > 1).length;
	})()`
	if count := eval[int](ada, countAnimations); count < 1 {
		t.Errorf("got %d animations without reduced motion, want at least 1", count)
	}
	call(ada, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	if count := eval[int](ada, countAnimations); count > 0 {
		t.Errorf("got %d animations with reduced motion, want 0", count)
	}
}

func TestForcedColorsHideNothing(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newUser(t, "Ada")
	ada.join(server, "lobby")
	ada.send("hello")
	ada.waitMessages("hello")
	call(ada, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "forced-colors", Value: "active"}},
	})
	ada.expect("the border styles", `["#messages .body", "#room-list [aria-current]"].map((one) => getComputedStyle(document.querySelector(one)).borderInlineStartStyle).join()`, "solid,solid")
	ada.runScript(`document.querySelector("#toast").textContent = "Copied"`)
	ada.expect("the color of the toast, if its background has the same color", `(({ color, backgroundColor }) => color === backgroundColor ? color : "")(getComputedStyle(document.querySelector("#toast")))`, "")
	ada.expect("the color of the status dot", `getComputedStyle(document.querySelector("#status"), "::before").backgroundColor`, eval[string](ada, `getComputedStyle(document.querySelector(".body")).color`))
}
