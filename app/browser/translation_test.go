//go:build unix

package browser

import (
	"testing"

	"burble/streams/redistest"
)

// translate does what a browser does to translate a page.
const translate = `
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), nodes = [];
	while (walker.nextNode()) nodes.push(walker.currentNode);
	for (const node of nodes) {
		if (!node.data.trim() || node.parentElement.closest("[translate=no], script, textarea, svg")) continue;
		const font = document.createElement("font");
		font.textContent = "translated";
		node.replaceWith(font);
	}`

// The page must store originals, not translations. Names, times, code and rooms are not translated.
func TestTranslationIsNotKept(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	here, ada, bob := newOfflineReader(t)
	bob.send("lobby", "hola, @Ada, `git push`")
	bob.send("lobby", "/me saluda")
	bob.send("tea", "té")
	ada.join(here, "lobby")
	bob.send("lobby", "hasta **luego**, @Ada, `git pull`")
	mine := bob.send("lobby", "adios")
	bob.edit("lobby", mine, "adiós")
	originals := []string{"hola, @Ada, git push", "Bob saluda", "hasta luego, @Ada, git pull", "adiós"}
	ada.waitMessages(originals...)
	ada.waitUpToDate()
	ada.waitPeople("Ada (you)")
	ada.startReply("article:has(strong)")

	texts := `[...document.querySelectorAll("#messages .body")].map((body) => body.innerText).join("|")`
	untranslated := `["#messages .author", "#messages time", "#messages code", ".mention", ".action bdi", "#room-list b", "h1", "#people li b", ".me b", "#search h2 span"]
		.map((selector) => document.querySelectorAll(selector).length && [...document.querySelectorAll(selector)].map(({ textContent }) => textContent).join()).join("|")`
	ada.runScript(`for (const id of ["open-search", "open-keys"]) document.getElementById(id).click()`)
	ada.wait("the dialogs", `document.querySelector("#search")?.open && document.querySelector("#keys")`)
	ada.runScript(`document.querySelector("#search").close(); document.querySelector("#keys").hidePopover()`)
	before := eval[string](ada, untranslated)
	ada.runScript(translate)
	ada.expect("the translation", texts, "translated@Adatranslatedgit push|Bobtranslated|translatedtranslatedtranslated@Adatranslatedgit pull|translated")
	ada.expect("what must not be translated", untranslated, before)
	ada.expect("the heading of the shortcuts", `document.querySelector("#keys h2").textContent`, "translated")

	// New messages still arrive, and quote originals.
	bob.reply("lobby", mine, "sí")
	ada.wait("the reply", `[...document.querySelectorAll("#messages .quote")].at(-1).innerText === "Bob adiós"`)
	ada.wait("the module of quotes", `document.querySelector("#messages .quote[data-attempted]")`)
	ada.expect("the quote", `[...document.querySelectorAll("#messages .quote")].at(-1).innerText`, "Bob adiós")

	ada.useTranslatedControls("sí")

	// Without a server, the page shows the originals. It never had the Markdown of the first two messages.
	ada.waitCached("", "", "hasta **luego**, @Ada, `git pull`", "adiós", "sí")
	here.Kill()
	ada.open(here, "/r/lobby")
	ada.waitMessages(append(originals, "sí")...)
	ada.expect("the authors", `[...document.querySelectorAll("#messages .author")].map(({ textContent }) => textContent).join()`, "Bob,Bob,Bob,Bob,Bob")
	ada.expect("the message being replied to", `document.querySelector("#composer .target span").innerText`, "hasta luego, @Ada, git pull")
}

// useTranslatedControls checks that the page sends the emoji that was picked, and dismisses a toast,
// although both are translated.
func (u *user) useTranslatedControls(message string) {
	u.t.Helper()
	u.clickAction(message, "emoji")
	u.wait("the emoji picker", `document.activeElement.closest("#picker")`)
	u.typeText("teapot")
	u.runScript(`for (const button of document.querySelectorAll("#picker button")) button.textContent = "translated"`)
	u.press("ArrowDown", "Enter")
	u.wait("the reaction", `document.querySelector("`+u.messageSelector(message)+` .reaction")?.innerText === "🫖 1"`)
	u.runScript(`composer.text.value = "x".repeat(10_000); composer.requestSubmit()`)
	u.wait("the toast", `toast.textContent`)
	u.runScript(`toast.textContent = "translated"; composer.text.value = ""; composer.text.dispatchEvent(new Event("input"))`)
	u.expect("the toast", `toast.textContent`, "")
}
