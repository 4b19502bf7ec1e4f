//go:build unix

package browser

import (
	"fmt"
	"slices"
	"testing"
)

// reach presses a key until the focus is where it should be.
func (p *browserPerson) reach(key, selector string) {
	p.t.Helper()
	at := fmt.Sprintf(`document.activeElement.matches(%q)`, selector)
	for range 150 {
		if see[bool](p, at) {
			return
		}
		p.press(key)
	}
	p.t.Fatalf("%s pressed %s 150 times and did not reach %s from %s", p.name, key, selector, see[focused](p, whereFocused).What)
}

// focused says where the focus is and whether that can be seen.
type focused struct {
	Stop int // the number of the control; -1: it is none
	What string
	Seen bool
}

// numbered numbers the page's controls, those that can be used now.
const numbered = `(() => {
	const controls = [...document.querySelectorAll("a[href]:not([tabindex='-1']), button, input:not([type=hidden]), textarea, summary, [tabindex='0']")]
		.filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled);
	controls.forEach((one, number) => (one.dataset.stop = number));
	return controls.map((one) => one.outerHTML.slice(0, 100));
})()`

const whereFocused = `(() => {
	const one = document.activeElement;
	const { top, bottom, left, right } = one.getBoundingClientRect();
	const ring = (part) => getComputedStyle(part).outlineStyle !== "none" && parseFloat(getComputedStyle(part).outlineWidth) >= 1;
	return {
		Stop: Number(one.dataset.stop ?? -1), What: one.outerHTML.slice(0, 100),
		Seen: (ring(one) || Boolean(one.form && ring(one.form))) && bottom > 0 && top < innerHeight && right > 0 && left < innerWidth,
	};
})()`

// tabs walks through the page with the Tab key, once around, and expects every control
// to be reached and to show it.
func (p *browserPerson) tabs(where string) {
	p.t.Helper()
	controls := see[[]string](p, numbered)
	var reached []int
	for range 2*len(controls) + 10 {
		p.press("Tab")
		at := see[focused](p, whereFocused)
		if slices.Contains(reached, at.Stop) {
			continue
		}
		if at.Stop >= 0 {
			reached = append(reached, at.Stop)
		}
		if at.Stop >= 0 && !at.Seen {
			p.t.Errorf("%s: the focus cannot be seen on %s", where, at.What)
		}
		if len(reached) == len(controls) {
			return
		}
	}
	for number, control := range controls {
		if !slices.Contains(reached, number) {
			p.t.Errorf("%s: the Tab key does not reach %s", where, control)
		}
	}
}

// opens opens something with Enter on its button, finds the focus in it, and closes it
// with Escape, which leads back to the button.
func (p *browserPerson) opens(button, panel string) {
	p.t.Helper()
	p.runs(fmt.Sprintf(`document.querySelector(%q).focus()`, button))
	p.press("Enter")
	open := fmt.Sprintf(`document.querySelector(%q).matches(":popover-open, [open]")`, panel)
	p.wait(panel+" to open", open)
	if see[bool](p, fmt.Sprintf(`document.querySelector("%s :is(a[href], button, input)") !== null`, panel)) {
		p.reach("Tab", panel+" *")
	}
	p.press("Escape")
	p.wait(panel+" to close", "!"+open)
	p.wait("the focus to be back on "+button, fmt.Sprintf(`document.activeElement.matches(%q)`, button))
}

func TestEveryControlIsReachedByKeyboard(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	ada := s.ada
	ada.looksWith(wide, "light")
	ada.open(s.Server, "/")
	ada.tabs("home")
	ada.open(s.Server, "/r/lobby")
	ada.upToDate()
	ada.tabs("room")
	ada.expect("messages whose time the Tab key stops at", `[...document.querySelectorAll("#messages article")].filter((one) => one.querySelector(".when").tabIndex === 0)
		.map((one) => one.querySelector(".body").innerText).join()`, lines[len(lines)-1].text)
	for button, panel := range map[string]string{
		"#open-search": "#search", "#open-calendar": "#calendar", "#topic-button": "#topic",
		"[popovertarget=keys]": "#keys", "[popovertarget=terminal]": "#terminal",
	} {
		ada.opens(button, panel)
	}
	ada.looksWith(narrow, "light")
	ada.tabs("room on a phone")
	for _, panel := range []string{"rooms", "people", "tools"} {
		ada.opens(".narrow[popovertarget="+panel+"]", "#"+panel)
	}
}

func TestWholeConversationByKeyboard(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	eve := newBrowserPerson(t, "Eve")
	eve.open(s.Server, "/")
	eve.reach("Tab", "input[name=name]")
	eve.types("Eve")
	eve.press("Enter")
	eve.wait("to be known", `document.body?.dataset.name === "Eve" && document.readyState === "complete"`)
	eve.reach("Tab", "#find input")
	eve.types("tea")
	eve.press("Enter")
	eve.at("/r/tea")
	eve.press("Control+k")
	eve.types("lob")
	eve.press("Enter")
	eve.at("/r/lobby")

	eve.reach("Tab", "#composer textarea")
	eve.types("hello from the keys")
	eve.press("Enter")
	eve.shows("hello from the keys")

	onMessage := func(text, button string) {
		t.Helper()
		message := eve.message(text)
		eve.reach("Tab", "#composer textarea")
		eve.reach("Shift+Tab", "#messages article *")
		eve.reach("ArrowUp", message)
		eve.press("Enter")
		eve.reach("ArrowRight", "#toolbar [name="+button+"]")
		eve.press("Enter")
	}
	const news = "I see the sockets move over, and no sends refused."
	onMessage(news, "reply")
	eve.types("glad to hear it")
	eve.press("Enter")
	eve.shows("glad to hear it")
	eve.wait("what it answers", fmt.Sprintf(`document.querySelector(%q + " .quote").innerText.includes("sockets")`, eve.message("glad to hear it")))

	onMessage(news, "react")
	eve.wait("the reaction", fmt.Sprintf(`document.querySelector(%q + " .chip[aria-pressed=true]")?.textContent === "👍 1"`, eve.message(news)))

	eve.reach("Tab", "#composer textarea")
	eve.press("ArrowUp")
	eve.wait("my last message", `document.querySelector("#composer textarea").value === "glad to hear it"`)
	eve.types(", Grace")
	eve.press("Enter")
	eve.shows("glad to hear it, Grace")

	onMessage("hello from the keys", "delete")
	eve.press("Enter") // It asks again.
	eve.wait("the message to be gone", `document.querySelectorAll("#messages [data-mine][data-deleted]").length === 1`)

	eve.press("/")
	eve.wait("the search", `document.querySelector("#search").open`)
	eve.types("killed two")
	eve.press("Enter")
	eve.wait("what was found", `document.querySelector("#search ol a")`)
	eve.reach("Tab", "#search ol a")
	eve.press("Enter")
	eve.wait("the place", fmt.Sprintf(`document.activeElement.id === "m%s"`, s.wrote[0]))
	eve.press("Escape")
	eve.wait("now", `location.pathname === "/r/lobby" && document.activeElement.matches("#composer textarea")`)

	eve.reach("Shift+Tab", "#open-calendar")
	eve.press("Enter")
	eve.wait("the calendar", `document.querySelector("#calendar").open`)
	eve.press("ArrowRight", "ArrowRight", "ArrowDown", "Enter") // A year ago: the first message of all.
	eve.wait("the first message", fmt.Sprintf(`document.activeElement.id === "m%s"`, s.wrote[0]))
	eve.press("End")
	eve.wait("now", `location.search === "" && document.activeElement.matches("#composer textarea")`)
	eve.upToDate()
}
