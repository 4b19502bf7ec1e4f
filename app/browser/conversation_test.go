//go:build unix

package browser

import (
	"fmt"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"
)

func TestThreePeopleReplyEditReactAndMention(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	ada, bob, cleo := newUser(t, "Ada"), newUser(t, "Bob"), newUser(t, "Cleo")
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	cleo.join(here, "lobby")
	c := &trio{ada, bob, cleo, []*user{ada, bob, cleo}}
	c.sendAndGroup()
	c.edit()
	c.replyAndQuote()
	c.react()
	c.mention()
	c.deleteByKeyboard()
	expectMatchesServer(t, there, "lobby", c.all...)
}

// trio is three users in the lobby. Each method continues where the previous one left off.
type trio struct {
	ada, bob, cleo *user
	all            []*user
}

// waitAll waits until all three pages show stored messages with these texts.
func (c *trio) waitAll(texts ...string) {
	c.ada.t.Helper()
	for _, u := range c.all {
		u.waitMessages(texts...)
	}
}

// An author's messages within five minutes share a heading, and a line with the date precedes each day.
func (c *trio) sendAndGroup() {
	c.ada.t.Helper()
	ada, bob := c.ada, c.bob
	ada.send("Tea at fuor?")
	ada.send("with\ncake")
	bob.waitMessages("with\ncake")
	bob.send("who are you?")
	c.waitAll("Tea at fuor?", "with\ncake", "who are you?")
	for _, u := range c.all {
		u.expect("the grouping", `[...document.querySelectorAll("#messages > *")].map((m) =>
			m.matches(".day") ? m.innerText : m.matches("[data-continued]") ? "continued" : m.querySelector(".author").innerText).join(", ")`,
			"Today, Ada, continued, Bob")
	}
}

// Escape cancels an edit and restores the draft. ArrowUp edits the last message.
func (c *trio) edit() {
	c.ada.t.Helper()
	bob, cleo := c.bob, c.cleo
	bob.typeText("a draft")
	bob.clickAction("who are you?", "edit")
	bob.wait("the message in the composer", `document.querySelector("#composer textarea").value === "who are you?"`)
	bob.press("Escape")
	bob.expectComposer("a draft")
	bob.clearField()
	bob.press("ArrowUp")
	bob.wait("the last message in the composer", `document.querySelector("#composer textarea").value === "who are you?"`)
	bob.clearField()
	bob.typeText("who is there?")
	bob.press("Enter")
	c.waitAll("who is there?")
	cleo.wait("the message to be marked as edited", fmt.Sprintf(`document.querySelector("%s[data-edited]")`, cleo.messageSelector("who is there?")))
}

// A reply quotes the message that it answers. The quote follows edits of that message and links to it.
func (c *trio) replyAndQuote() {
	c.ada.t.Helper()
	ada, bob, cleo := c.ada, c.bob, c.cleo
	cleo.clickAction("Tea at fuor?", "reply")
	cleo.wait("the reply", `document.querySelector("#composer .target").innerText.includes("Replying to Ada")`)
	cleo.typeText("yes please")
	cleo.press("Enter")
	c.waitAll("yes please")
	ada.clickAction("Tea at fuor?", "edit")
	ada.wait("the message in the composer", `document.querySelector("#composer textarea").value === "Tea at fuor?"`)
	ada.clearField()
	ada.typeText("Tea at four?")
	ada.press("Enter")
	c.waitAll("Tea at four?")
	for _, u := range c.all {
		u.wait("the quote to have the edited text", fmt.Sprintf(`document.querySelector("%s .quote").innerText === "Ada Tea at four?"`, u.messageSelector("yes please")))
	}
	bob.click(bob.messageSelector("yes please") + " .quote")
	bob.wait("the page to be at the quoted message", fmt.Sprintf(`document.querySelector("%s").ariaCurrent === "true"`, bob.messageSelector("Tea at four?")))
}

// The toolbar has common reactions and a picker for the others. A second click removes a
// reaction. The tooltip lists the users who reacted.
func (c *trio) react() {
	c.ada.t.Helper()
	ada, bob, cleo := c.ada, c.bob, c.cleo
	tea := ada.messageSelector("Tea at four?")
	cleo.clickAction("Tea at four?", "react")
	bob.wait("Cleo's reaction", firstReaction(tea, "👍 1", false))
	bob.click(tea + " .reaction")
	for _, u := range c.all {
		u.wait("both reactions", firstReaction(tea, "👍 2", u != ada))
		u.hover(tea + " .reaction")
	}
	ada.expect("the tooltip", `document.querySelector("`+tea+` .reaction").title`, "Cleo, Bob")
	bob.expect("the tooltip", `document.querySelector("`+tea+` .reaction").title`, "Cleo, you")
	bob.click(tea + " .reaction")
	ada.wait("one reaction", firstReaction(tea, "👍 1", false))
	bob.clickAction("Tea at four?", "emoji")
	bob.wait("the emoji picker", `document.activeElement.closest("#picker")`)
	bob.typeText("teapot")
	bob.press("ArrowDown", "Enter")
	for _, u := range c.all {
		u.wait("the teapot", `[...document.querySelectorAll("`+tea+` .reaction")].map((c) => c.innerText).join() === "👍 1,🫖 1"`)
	}
}

// The composer completes names and emoji. A mention is highlighted for the mentioned user.
func (c *trio) mention() {
	c.ada.t.Helper()
	ada, bob := c.ada, c.bob
	bob.click("#composer textarea")
	bob.typeText("@a")
	bob.wait("the completion of Ada", `document.querySelector("#suggestions [aria-selected=true]")?.innerText === "@Ada"`)
	bob.press("Enter")
	bob.typeText("hurray :tad")
	bob.wait("the completion of tada", `document.querySelector("#suggestions [aria-selected=true]")?.innerText === "🎉 tada"`)
	bob.press("Enter", "Enter")
	c.waitAll("@Ada hurray 🎉")
	for _, u := range c.all {
		u.wait("the highlighted mention", fmt.Sprintf(`(document.querySelector("`+bob.messageSelector("@Ada hurray 🎉")+` mark.mention")?.innerText ?? "") === %q`, map[bool]string{true: "@Ada"}[u == ada]))
	}
}

// Arrow keys move between messages, and Enter moves to the toolbar. Delete must be pressed twice.
func (c *trio) deleteByKeyboard() {
	c.ada.t.Helper()
	ada := c.ada
	ada.hover("#people")
	ada.press("Shift+Tab", "ArrowUp")
	ada.wait("a focused message", `document.activeElement.matches("article")`)
	for !eval[bool](ada, `document.activeElement.innerText.includes("cake") || !document.activeElement.matches("article")`) {
		ada.press("ArrowUp")
	}
	ada.expect("the focused message", `document.activeElement.querySelector(".body").innerText`, "with\ncake")
	ada.press("Enter", "End", "Enter")
	ada.expect("the label of the focused button", `document.activeElement.ariaLabel`, "Delete for everyone? Press again")
	ada.press("Enter")
	c.waitAll("This message was deleted.")
}

// firstReaction returns a JavaScript expression that reports whether a message's first reaction has the
// text, and whether it is pressed if own is true, or not pressed if own is false.
func firstReaction(message, text string, own bool) string {
	return fmt.Sprintf(`(({innerText, ariaPressed}) => innerText === %q && ariaPressed === "%v")(document.querySelector(%q) ?? {})`, text, own, message+" .reaction")
}
