//go:build unix && unfinished

package main_test

import (
	"fmt"
	"strings"
	"testing"

	"burble/streams/redistest"

	"github.com/chromedp/chromedp"
)

// alike are names of others that look like Ada's, and one that looks like a name with a tag.
var alike = []string{"Аda" /* the first letter is Cyrillic */, "ADA", "Ada ", "Ａｄａ", "A d a", "Áda", "Ada ·9c0"}

func TestNamesThatLookAlikeAreToldApart(t *testing.T) {
	t.Parallel()
	server := burble(t, redistest.Start(t))
	ada, bob := newBrowserPerson(t, "Ada"), newBrowserPerson(t, "Bob")
	ada.do(chromedp.EmulateViewport(1280, 800))
	bob.do(chromedp.EmulateViewport(1280, 800))
	ada.join(server, "lobby")
	ada.write("It is me")
	original := strings.TrimPrefix(ada.message("It is me"), "#m")
	var others []*scribe
	for _, name := range alike {
		other := newScribe(t, server, server.token(name))
		other.say(map[string]any{"type": "follow", "room": "lobby", "last": 0})
		other.store("lobby", "send", "No, me", original)
		other.store("lobby", "react", "🙌", original)
		others = append(others, other)
	}
	bob.join(server, "lobby") // who comes late is told as much
	bob.write("Who?")
	ada.shows("Who?")

	for _, p := range []*browserPerson{ada, bob} {
		p.waitTagged("authors", "#messages .author", len(alike)+1)
		p.waitTagged("people", "#people li b", len(alike)+1)
		p.waitTagged("who is answered", ".quote:not([hidden]) b", 1)
		p.hover(".chip")
		p.wait("who reacted", fmt.Sprintf(`document.querySelector(".chip").title.split(" ·").length === %d + 1`, len(alike)))

		p.do(chromedp.Focus(chromedp.CSS("#composer textarea")))
		p.types("@")
		p.wait("offers", `[...document.querySelectorAll("#offers li")].filter((offer) => /d ?a/i.test(offer.innerText)).every((offer) => offer.innerText.includes(" ·"))
			&& document.querySelectorAll("#offers li").length > 4`)
		p.press("Escape")
		p.wipe()
		others[0].say(map[string]any{"type": "typing", "room": "lobby"})
		p.waitTagged("who writes", "#typing bdi", 1)
		p.does("No, me", "reply")
		p.wait("who is answered", `document.querySelector("#composer .about b").innerText.includes(" ·")`)
		p.press("Escape")
		p.click("#open-search")
		p.wait("the search", `document.activeElement.name === "q"`)
		p.types("me")
		p.press("Enter")
		p.wait("what was found", fmt.Sprintf(`document.querySelectorAll("#search li").length === %d`, len(alike)+1))
		p.waitTagged("authors found", "#search li b", len(alike)+1)
		p.open(server, "/")
		p.wait("who is in the room", `document.querySelector("#room-list .here").innerText.split(" ·").length > 3`)
	}
}

// waitTagged waits until the names that the selector finds are told apart: so many, each
// with a tag, no two the same.
func (p *browserPerson) waitTagged(what, selector string, count int) {
	p.t.Helper()
	p.wait(what, fmt.Sprintf(`((names) => names.every(({ dataset }) => dataset.tag) &&
		new Set(names.map(({ dataset }) => dataset.tag)).size === %d)([...document.querySelectorAll(%q)].filter(({ textContent }) => textContent !== "Bob"))`, count, selector))
}
