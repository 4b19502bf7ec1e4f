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

func TestWhatIsWrittenBeforeTheScriptComesAfterTheDraft(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "lobby")
	ada.click("#composer textarea")
	ada.types("yesterday's thought")
	command(ada, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `new MutationObserver((_, observer) => {
			const field = document.querySelector("#composer textarea");
			if (!field) return;
			observer.disconnect();
			field.value = "hello";
		}).observe(document, { childList: true, subtree: true })`,
	})
	ada.open(server, "/r/lobby")
	ada.upToDate()
	if got := ada.writing(); got != "yesterday's thought\nhello" {
		t.Errorf("the composer has %q", got)
	}
}

func TestComposerKeepsDraftsPastesLinesAndCounts(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	ada, bob := newBrowserPerson(t, "Ada"), newBrowserPerson(t, "Bob")
	ada.join(here, "lobby")
	bob.join(there, "lobby")

	// Who writes is shown, and no longer when nothing comes of it.
	ada.types("half a thou")
	bob.wait("Ada to be writing", `document.querySelector("#typing").innerText === "Ada is typing…"`)
	ada.open(here, "/r/kitchen")
	ada.upToDate()
	ada.types("salt")
	bob.wait("Ada to be writing no longer", `document.querySelector("#typing").innerText === ""`)

	// Each room has its draft, and what it answers, over reloads.
	bob.write("one\ntwo\n\nthree")
	ada.open(here, "/r/lobby")
	ada.upToDate()
	if got := ada.writing(); got != "half a thou" {
		t.Errorf("the draft of the lobby is %q", got)
	}
	ada.does("one\ntwo\n\nthree", "reply")
	ada.open(here, "/r/kitchen")
	ada.upToDate()
	if got := ada.writing(); got != "salt" {
		t.Errorf("the draft of the kitchen is %q", got)
	}
	ada.open(here, "/r/lobby")
	ada.wait("what is answered", `document.querySelector("#composer .about").innerText.includes("Replying to Bob")`)
	ada.types("ght")
	ada.press("Enter")
	bob.shows("half a thought")
	bob.wait("the answer", fmt.Sprintf(`document.querySelector("%s .quote").innerText === "Bob one"`, bob.message("half a thought")))

	// Of what is changed something must be left.
	ada.shows("half a thought") // Bob, elsewhere, may be told first
	ada.press("ArrowUp")
	ada.wait("the last message to be changed", `document.querySelector("#composer textarea").value === "half a thought"`)
	ada.wipe()
	ada.press("Enter")
	ada.expect("why it is not changed", `document.querySelector("#said").innerText`, "The message is empty. Delete it instead?")
	ada.press("Escape")

	// What is copied is what was written, and pasting keeps its lines.
	ada.does("one\ntwo\n\nthree", "copy")
	ada.wait("the text to be copied", `document.querySelector("#said").innerText === "Text copied."`)
	ada.click("#composer textarea")
	ada.press("Control+v")
	if got := ada.writing(); got != "one\ntwo\n\nthree" {
		t.Errorf("pasted: %q", got)
	}
	ada.wipe()
	ada.runs(`Object.defineProperty(navigator, "clipboard", { value: undefined })`) // As on a page without TLS.
	ada.does("one\ntwo\n\nthree", "link")
	ada.wait("the link to be copied", `document.querySelector("#said").innerText === "Link copied."`)
	ada.click("#composer textarea")
	ada.press("Control+v")
	if got, want := ada.writing(), here.URL()+"/r/lobby/"+strings.TrimPrefix(ada.message("one\ntwo\n\nthree"), "#m"); got != want {
		t.Errorf("pasted: %q, want %q", got, want)
	}
	ada.wipe()

	// Near the limit it counts; above, it does not send.
	long := strings.Repeat("blah ", 799)
	const width = `document.querySelector("#composer textarea").offsetWidth`
	before := see[int](ada, width)
	command(ada, input.InsertText, input.InsertTextParams{Text: long + "blah"})
	if now := see[int](ada, width); now != before {
		t.Errorf("beside the counter what is written is %d wide, before %d", now, before)
	}
	ada.expect("the counter", `document.querySelector("#composer output").innerText`, "1 character left")
	ada.types("?!")
	ada.expect("the counter", `document.querySelector("#composer output").innerText`, "1 character over")
	ada.press("Enter")
	ada.expect("why it is not sent", `document.querySelector("#said").innerText`, "Messages can be at most 4000 characters long.")
	ada.press("Backspace")
	ada.expect("the counter", `document.querySelector("#composer output").innerText`, "0 characters left")
	ada.press("Enter")
	bob.shows(long + "blah?")
	if got := ada.writing(); got != "" {
		t.Errorf("after sending %q is in the composer", got)
	}
	ada.upToDate()
	expectStream(t, here, "lobby", ada, bob)
}
