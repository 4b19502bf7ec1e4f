//go:build unix

package browser

import (
	"fmt"
	"strings"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
)

func TestTextTypedBeforeTheScriptLoadsFollowsTheDraft(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newUser(t, "Ada")
	ada.join(server, "lobby")
	ada.click("#composer textarea")
	ada.typeText("yesterday's thought")
	call(ada, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `new MutationObserver((_, observer) => {
			const field = document.querySelector("#composer textarea");
			if (!field) return;
			observer.disconnect();
			field.value = "hello";
		}).observe(document, { childList: true, subtree: true })`,
	})
	ada.open(server, "/r/lobby")
	ada.waitUpToDate()
	ada.expectComposer("yesterday's thought\nhello")
}

func TestComposerKeepsDraftsAndReplies(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	ada, bob := newUser(t, "Ada"), newUser(t, "Bob")
	ada.join(here, "lobby")
	bob.join(there, "lobby")

	// Bob sees Ada typing until she leaves without sending.
	ada.typeText("half a thou")
	bob.wait("Ada to type", `document.querySelector("#typing").innerText === "Ada is typing…"`)
	ada.open(here, "/r/kitchen")
	ada.waitUpToDate()
	ada.typeText("salt")
	bob.wait("nobody to type", `document.querySelector("#typing").innerText === ""`)

	// Each room keeps its draft and its reply when the page reloads.
	bob.send("one\ntwo\n\nthree")
	ada.open(here, "/r/lobby")
	ada.waitUpToDate()
	ada.expectComposer("half a thou")
	ada.clickAction("one\ntwo\n\nthree", "reply")
	ada.open(here, "/r/kitchen")
	ada.waitUpToDate()
	ada.expectComposer("salt")
	ada.open(here, "/r/lobby")
	ada.wait("the reply", `document.querySelector("#composer .target").innerText.includes("Replying to Bob")`)
	ada.typeText("ght")
	ada.press("Enter")
	bob.waitMessages("half a thought")
	bob.wait("the quote", fmt.Sprintf(`document.querySelector("%s .quote").innerText === "Bob one"`, bob.messageSelector("half a thought")))

	// An edit must leave some text.
	ada.waitMessages("half a thought") // Bob's server may be faster.
	ada.press("ArrowUp")
	ada.wait("the last message in the composer", `document.querySelector("#composer textarea").value === "half a thought"`)
	ada.clearField()
	ada.press("Enter")
	ada.expect("the reason", `document.querySelector("#toast").innerText`, "The message is empty. Delete it instead?")
	ada.press("Escape")
}

func TestUndoRestoresWhatAnEmojiOrANameReplaced(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada, bob := newUser(t, "Ada"), newUser(t, "Bob")
	bob.join(server, "lobby")
	bob.send("hello")
	ada.join(server, "lobby")
	ada.waitMessages("hello")

	ada.click("#composer textarea")
	ada.typeText("hi :smile:")
	ada.wait("the emoji", `document.querySelector("#composer textarea").value === "hi 😄 "`)
	ada.press("Control+z")
	ada.expectComposer("hi :smile:")
	ada.press("Control+y")
	ada.expectComposer("hi 😄 ")
	ada.press("Control+z")
	ada.press("End")
	ada.typeText(" @Bo")
	ada.wait("the suggestion", `document.querySelector("#suggestions li")?.innerText === "@Bob"`)
	ada.press("Enter")
	ada.expectComposer("hi :smile: @Bob ")
	ada.press("Control+z")
	ada.expectComposer("hi :smile: @Bo")
	ada.press("Escape") // closes the suggestions
	ada.press("Enter")
	bob.waitMessages("hi :smile: @Bo")
}

func TestComposerPastesLinesAndLimitsLength(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada, bob := newUser(t, "Ada"), newUser(t, "Bob")
	ada.join(server, "lobby")
	bob.join(server, "lobby")
	bob.send("one\ntwo\n\nthree")

	// Copying copies the message's source, and pasting keeps its lines.
	ada.clickAction("one\ntwo\n\nthree", "copy")
	ada.wait("the text to be copied", `document.querySelector("#toast").innerText === "Text copied."`)
	ada.click("#composer textarea")
	ada.press("Control+v")
	ada.expectComposer("one\ntwo\n\nthree")
	ada.clearField()
	ada.runScript(`Object.defineProperty(navigator, "clipboard", { value: undefined })`) // as on a page without TLS
	ada.clickAction("one\ntwo\n\nthree", "link")
	ada.wait("the link to be copied", `document.querySelector("#toast").innerText === "Link copied."`)
	ada.click("#composer textarea")
	ada.press("Control+v")
	ada.expectComposer(server.URL() + "/r/lobby/" + strings.TrimPrefix(ada.messageSelector("one\ntwo\n\nthree"), "#m"))
	ada.clearField()

	// The counter appears near the limit. A longer message cannot be sent.
	long := strings.Repeat("blah ", 799)
	const width = `document.querySelector("#composer textarea").offsetWidth`
	before := eval[int](ada, width)
	call(ada, input.InsertText, input.InsertTextParams{Text: long + "blah"})
	if now := eval[int](ada, width); now != before {
		t.Errorf("the text field is %d pixels wide with the counter, want %d as without it", now, before)
	}
	const counter = `document.querySelector("#composer output").innerText`
	ada.expect("the counter", counter, "1 character left")
	ada.typeText("?!")
	ada.expect("the counter", counter, "1 character over")
	ada.press("Enter")
	ada.expect("the reason", `document.querySelector("#toast").innerText`, "Messages can be at most 4000 characters long.")
	ada.runScript(`setTimeout = () => 0`) // so that no timer can hide the reason
	ada.press("Enter")
	ada.press("Backspace")
	ada.expect("the counter", counter, "0 characters left")
	ada.expect("the reason after shortening the text", `document.querySelector("#toast").innerText`, "")
	ada.press("Enter")
	bob.waitMessages(long + "blah?")
	ada.expectComposer("")
	ada.waitUpToDate()
	expectMatchesServer(t, server, "lobby", ada, bob)
}

func TestReplyToADeletedMessageIsCanceled(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada, bob := newUser(t, "Ada"), newGuest(t, server, "Bob")
	secret := bob.send("lobby", "my password is hunter2")
	ada.join(server, "lobby")
	ada.clickAction("my password is hunter2", "reply")
	ada.typeText("thanks")
	for _, isDeleted := range []bool{false, true} {
		ada.open(server, "/r/kitchen")
		ada.waitUpToDate()
		if isDeleted {
			bob.delete("lobby", secret)
		}
		ada.open(server, "/r/lobby")
		ada.expectComposer("thanks")
		ada.wait("the reply, unless its message is deleted", fmt.Sprintf(`document.querySelector("#composer .target").hidden === %t`, isDeleted))
	}
	ada.expect("stored copies of the message", `Object.values(localStorage).filter((value) => value.includes("hunter2")).join()`, "")
}

func TestComposerKeepsIndentation(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newUser(t, "Ada")
	ada.join(server, "lobby")
	ada.runScript(`document.execCommand("insertText", false, "\n  \n    if ready:\n        go() \n\n")`)
	ada.press("Enter")
	ada.wait("the code", `document.querySelector("#messages article[id] pre")?.innerText === "if ready:\n    go()\n"`)
	ada.waitUpToDate()
	ada.press("ArrowUp")
	ada.wait("the message in the composer", `document.querySelector("#composer textarea").value === "    if ready:\n        go()"`)
	ada.typeText(" # now")
	ada.press("Enter")
	ada.wait("the edited code", `document.querySelector("#messages article[id] pre")?.innerText === "if ready:\n    go() # now\n"`)
}
