//go:build unix

package browser

import (
	"fmt"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"
)

func TestThreePeopleTalkAnswerChangeReactAndMention(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	ada, bob, cleo := newBrowserPerson(t, "Ada"), newBrowserPerson(t, "Bob"), newBrowserPerson(t, "Cleo")
	everybody := []*browserPerson{ada, bob, cleo}
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	cleo.join(here, "lobby")
	everybodyHas := func(texts ...string) {
		t.Helper()
		for _, p := range everybody {
			p.shows(texts...)
		}
	}

	// One author within five minutes is one heading, and the day has a line.
	ada.write("Tea at fuor?")
	ada.write("with\ncake")
	bob.shows("with\ncake")
	bob.write("who are you?")
	everybodyHas("Tea at fuor?", "with\ncake", "who are you?")
	for _, p := range everybody {
		p.expect("the grouping", `[...document.querySelectorAll("#messages > *")].map((m) =>
			m.matches(".day") ? m.innerText : m.matches("[data-continued]") ? "continued" : m.querySelector(".author").innerText).join(", ")`,
			"Today, Ada, continued, Bob")
	}

	// Escape lets go of a change, and the draft is what it was. ArrowUp changes the last message.
	bob.types("a draft")
	bob.does("who are you?", "edit")
	bob.wait("the text to be there", `document.querySelector("#composer textarea").value === "who are you?"`)
	bob.press("Escape")
	if got := bob.writing(); got != "a draft" {
		t.Errorf("after Escape Bob's draft is %q", got)
	}
	bob.wipe()
	bob.press("ArrowUp")
	bob.wait("the last message to be changed", `document.querySelector("#composer textarea").value === "who are you?"`)
	bob.wipe()
	bob.types("who is there?")
	bob.press("Enter")
	everybodyHas("who is there?")
	cleo.wait("the change to be marked", fmt.Sprintf(`document.querySelector("%s[data-edited]")`, cleo.message("who is there?")))

	// An answer shows what it answers and leads there; so it does when that is changed.
	cleo.does("Tea at fuor?", "reply")
	cleo.wait("what is answered", `document.querySelector("#composer .about").innerText.includes("Replying to Ada")`)
	cleo.types("yes please")
	cleo.press("Enter")
	everybodyHas("yes please")
	ada.does("Tea at fuor?", "edit")
	ada.wait("the text to be there", `document.querySelector("#composer textarea").value === "Tea at fuor?"`)
	ada.wipe()
	ada.types("Tea at four?")
	ada.press("Enter")
	everybodyHas("Tea at four?")
	for _, p := range everybody {
		p.wait("the quote to say what was changed", fmt.Sprintf(`document.querySelector("%s .quote").innerText === "Ada Tea at four?"`, p.message("yes please")))
	}
	bob.click(bob.message("yes please") + " .quote")
	bob.wait("to be at what is answered", fmt.Sprintf(`document.querySelector("%s").ariaCurrent === "true"`, bob.message("Tea at four?")))

	// A strip of reactions, any other emoji, and the same again takes it back. Pointing tells who.
	tea := ada.message("Tea at four?")
	cleo.does("Tea at four?", "react")
	bob.wait("Cleo's thumb", chip(tea, "👍 1", false))
	bob.click(tea + " .chip")
	for _, p := range everybody {
		p.wait("both thumbs", chip(tea, "👍 2", p != ada))
		p.hover(tea + " .chip")
	}
	ada.expect("who reacted", `document.querySelector("`+tea+` .chip").title`, "Cleo, Bob")
	bob.expect("who reacted", `document.querySelector("`+tea+` .chip").title`, "Cleo, you")
	bob.click(tea + " .chip")
	ada.wait("one thumb", chip(tea, "👍 1", false))
	bob.does("Tea at four?", "more")
	bob.wait("the picker", `document.activeElement.closest("#picker")`)
	bob.types("teapot")
	bob.press("ArrowDown", "Enter")
	for _, p := range everybody {
		p.wait("the teapot", `[...document.querySelectorAll("`+tea+` .chip")].map((c) => c.innerText).join() === "👍 1,🫖 1"`)
	}

	// Names and emoji are completed; who is named sees it.
	bob.click("#composer textarea")
	bob.types("@a")
	bob.wait("Ada to be offered", `document.querySelector("#offers [aria-selected=true]")?.innerText === "@Ada"`)
	bob.press("Enter")
	bob.types("hurray :tad")
	bob.wait("the emoji to be offered", `document.querySelector("#offers [aria-selected=true]")?.innerText === "🎉 tada"`)
	bob.press("Enter", "Enter")
	everybodyHas("@Ada hurray 🎉")
	for _, p := range everybody {
		p.expect("the mark", `document.querySelector("`+bob.message("@Ada hurray 🎉")+` mark.mention")?.innerText ?? ""`, map[bool]string{true: "@Ada"}[p == ada])
	}

	// All by keyboard: among the messages, into the toolbar, and deleting takes a second press.
	ada.hover("#people")
	ada.press("Shift+Tab", "ArrowUp")
	ada.wait("a message to be in focus", `document.activeElement.matches("article")`)
	for !see[bool](ada, `document.activeElement.innerText.includes("cake") || !document.activeElement.matches("article")`) {
		ada.press("ArrowUp")
	}
	ada.expect("the message in focus", `document.activeElement.querySelector(".body").innerText`, "with\ncake")
	ada.press("Enter", "End", "Enter")
	ada.expect("what the key is about to do", `document.activeElement.ariaLabel`, "Delete for everyone? Press again")
	ada.press("Enter")
	everybodyHas("This message was deleted.")
	expectStream(t, there, "lobby", everybody...)
}

// chip is whether a message's first reaction is that, and mine.
func chip(message, text string, mine bool) string {
	return fmt.Sprintf(`(({innerText, ariaPressed}) => innerText === %q && ariaPressed === "%v")(document.querySelector(%q) ?? {})`, text, mine, message+" .chip")
}
