//go:build unix

package browser

import (
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"
)

// Code reads from left to right, even in a message that does not.
func TestCodeInRightToLeftText(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newUser(t, "Ada")
	ada.join(server, "lobby")
	ada.send("קראו ל-`foo(a, b)` ואז `[1]` עכשיו")
	ada.wait("the code", `document.querySelectorAll(".body code").length === 2`)
	ada.expect("the order of the characters on screen", `[...document.querySelectorAll(".body code")].map(({ firstChild }) =>
		[...firstChild.data].map((char, i) => {
			const range = document.createRange();
			range.setStart(firstChild, i);
			range.setEnd(firstChild, i + 1);
			return [range.getBoundingClientRect().left, char];
		}).sort((a, b) => a[0] - b[0]).map(([, char]) => char).join("")).join(" ")`, "foo(a, b) [1]")
}

// Completion ignores case and accents, and works after any character that is not a letter or digit.
func TestCompletionIgnoresAccents(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	jose, ada := newUser(t, "José"), newUser(t, "Ada")
	jose.join(server, "lobby")
	jose.send("hola")
	ada.join(server, "lobby")
	ada.waitMessages("hola")
	ada.focus(`#composer textarea`)
	ada.typeText("(@jose")
	ada.wait("the text", `document.querySelector("#composer textarea").value === "(@jose"`)
	ada.wait("the suggestion", `document.querySelector("#suggestions:not([hidden]) li")?.textContent === "@José"`)
	ada.press("Enter")
	ada.wait("the name", `document.querySelector("#composer textarea").value === "(@José "`)
}
