//go:build unix

package browser

import (
	"fmt"
	"slices"
	"testing"

	"burble/streams/redistest"
)

// focusState describes the focused element.
type focusState struct {
	Control int // its number from numberControls, or -1
	Element string
	Visible bool // it is in view and has a focus ring
}

// getFocusState is a script that returns a focusState.
const getFocusState = `(() => {
	const one = document.activeElement;
	const { top, bottom, left, right } = one.getBoundingClientRect();
	const hasRing = (part) => getComputedStyle(part).outlineStyle !== "none" && parseFloat(getComputedStyle(part).outlineWidth) >= 1;
	return {
		Control: Number(one.dataset.control ?? -1), Element: one.outerHTML.slice(0, 100),
		Visible: (hasRing(one) || Boolean(one.form && hasRing(one.form))) && bottom > 0 && top < innerHeight && right > 0 && left < innerWidth,
	};
})()`

// numberControls is a script that numbers the visible and enabled controls, and returns them.
const numberControls = `(() => {
	const controls = [...document.querySelectorAll("a[href]:not([tabindex='-1']), button:not([tabindex='-1']), input:not([type=hidden]), textarea, summary, [tabindex='0']")]
		.filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled);
	controls.forEach((one, number) => (one.dataset.control = number));
	return controls.map((one) => one.outerHTML.slice(0, 100));
})()`

// checkTabOrder presses Tab until every control of the page has had a visible focus.
func (u *user) checkTabOrder(page string) {
	u.t.Helper()
	controls := eval[[]string](u, numberControls)
	var reached []int
	for range 2*len(controls) + 10 {
		u.press("Tab")
		focus := eval[focusState](u, getFocusState)
		if slices.Contains(reached, focus.Control) {
			continue
		}
		if focus.Control >= 0 {
			reached = append(reached, focus.Control)
		}
		if focus.Control >= 0 && !focus.Visible {
			u.t.Errorf("%s: the focus on %s is not visible", page, focus.Element)
		}
		if len(reached) == len(controls) {
			return
		}
	}
	for number, control := range controls {
		if !slices.Contains(reached, number) {
			u.t.Errorf("%s: Tab does not reach %s", page, control)
		}
	}
}

// checkPanel opens a panel by pressing Enter on its button, moves the focus into the panel, and closes
// it with Escape, which must return the focus to the button.
func (u *user) checkPanel(button, panel string) {
	u.t.Helper()
	u.runScript(fmt.Sprintf(`document.querySelector(%q).focus()`, button))
	u.press("Enter")
	open := fmt.Sprintf(`document.querySelector(%q)?.matches(":popover-open, [open]")`, panel)
	u.wait(panel+" to open", open)
	if eval[bool](u, fmt.Sprintf(`document.querySelector("%s :is(a[href], button, input)") !== null`, panel)) {
		u.focusByKey("Tab", panel+" *")
	}
	u.press("Escape")
	u.wait(panel+" to close", "!"+open)
	u.wait("the focus to return to "+button, fmt.Sprintf(`document.activeElement.matches(%q)`, button))
}

func TestTabReachesEveryControl(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	s := newSample(t)
	ada := s.ada
	ada.emulate(wide, "light")
	ada.open(s.Server, "/")
	ada.checkTabOrder("home")
	ada.open(s.Server, "/r/lobby")
	ada.waitUpToDate()
	ada.checkTabOrder("room")
	ada.expect("the list of messages that Tab stops at", `[...document.querySelectorAll("#messages article")].filter((one) => one.querySelector(".timestamp").tabIndex === 0)
		.map((one) => one.querySelector(".body").innerText).join()`, sampleMessages[len(sampleMessages)-1].text)
	for button, panel := range map[string]string{
		"#open-search": "#search", "#open-calendar": "#calendar", "#topic-button": "#topic",
		"#open-keys": "#keys", "[popovertarget=terminal]": "#terminal",
	} {
		ada.checkPanel(button, panel)
	}
	ada.emulate(narrow, "light")
	ada.checkTabOrder("room on a phone")
	for _, panel := range []string{"rooms", "people", "tools"} {
		ada.checkPanel(".narrow-only[popovertarget="+panel+"]", "#"+panel)
	}
}

func TestWholeConversationByKeyboard(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	s := newSample(t)
	eve := newUser(t, "Eve")
	eve.open(s.Server, "/")
	eve.focusByKey("Tab", "input[name=name]")
	eve.typeText("Eve")
	eve.press("Enter")
	eve.wait("the page of Eve", `document.body?.dataset.name === "Eve" && document.readyState === "complete"`)
	eve.focusByKey("Tab", "#find input")
	eve.typeText("tea")
	eve.press("Enter")
	eve.waitAtPath("/r/tea")
	eve.press("Control+k")
	eve.typeText("lob")
	eve.press("Enter")
	eve.waitAtPath("/r/lobby")

	eve.focusByKey("Tab", "#composer textarea")
	eve.typeText("hello from the keys")
	eve.press("Enter")
	eve.waitMessages("hello from the keys")

	latest := sampleMessages[len(sampleMessages)-1].text
	eve.pressAction(latest, "reply")
	eve.typeText("glad to hear it")
	eve.press("Enter")
	eve.waitMessages("glad to hear it")
	eve.wait("the quote", fmt.Sprintf(`document.querySelector(%q + " .quote").innerText.includes("sockets")`, eve.messageSelector("glad to hear it")))

	eve.pressAction(latest, "react")
	eve.wait("the reaction", fmt.Sprintf(`document.querySelector(%q + " .reaction[aria-pressed=true]")?.textContent === "👍 1"`, eve.messageSelector(latest)))

	eve.focusByKey("Tab", "#composer textarea")
	eve.press("ArrowUp")
	eve.wait("the last message in the composer", `document.querySelector("#composer textarea").value === "glad to hear it"`)
	eve.typeText(", Grace")
	eve.press("Enter")
	eve.waitMessages("glad to hear it, Grace")

	eve.pressAction("hello from the keys", "delete")
	eve.press("Enter") // confirms
	eve.wait("the message to be deleted", `document.querySelectorAll("#messages [data-mine][data-deleted]").length === 1`)

	eve.press("/")
	eve.wait("the search", `document.querySelector("#search")?.open`)
	eve.typeText("killed two")
	eve.press("Enter")
	eve.wait("the result", `document.querySelector("#search ol a")`)
	eve.focusByKey("Tab", "#search ol a")
	eve.press("Enter")
	eve.wait("the focus on the message", fmt.Sprintf(`document.activeElement.id === "m%s"`, s.ids[0]))
	eve.press("Escape")
	eve.wait("the composer", `location.pathname === "/r/lobby" && document.activeElement.matches("#composer textarea")`)

	eve.focusByKey("Shift+Tab", "#open-calendar")
	eve.press("Enter")
	eve.wait("the calendar", `document.querySelector("#calendar")?.open`)
	eve.press("ArrowRight", "ArrowRight", "ArrowDown", "Enter") // a date one year ago, which leads to the first message
	eve.wait("the focus on the first message", fmt.Sprintf(`document.activeElement.id === "m%s"`, s.ids[0]))
	eve.press("End")
	eve.wait("the composer", `location.search === "" && document.activeElement.matches("#composer textarea")`)
	eve.waitUpToDate()
}

// pressAction presses a button in the toolbar of the message with the text, by keyboard alone.
func (u *user) pressAction(text, button string) {
	u.t.Helper()
	message := u.messageSelector(text)
	u.focusByKey("Tab", "#composer textarea")
	u.focusByKey("Shift+Tab", "#messages article *")
	u.focusByKey("ArrowUp", message)
	u.press("Enter")
	u.focusByKey("ArrowRight", "#toolbar [name="+button+"]")
	u.press("Enter")
}
