//go:build unix

package browser

import (
	"fmt"
	"strings"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/chromedp"
)

// alike are names of others that look like Ada's, the last as if it were tagged. (With
// the dot of a real tag it is refused: TestGuestNameRefused.)
var alike = []string{"Аda" /* the first letter is Cyrillic */, "ADA", "Ada ", "Ａｄａ", "A d a", "Áda", "Ada •9c0"}

func TestNamesThatLookAlikeAreToldApart(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada, bob := newBrowserPerson(t, "Ada"), newBrowserPerson(t, "Bob")
	ada.do(chromedp.EmulateViewport(1280, 800))
	bob.do(chromedp.EmulateViewport(1280, 800))
	ada.join(server, "lobby")
	ada.write("It is me")
	original := strings.TrimPrefix(ada.message("It is me"), "#m")
	var others []*scribe
	for _, name := range alike {
		other := guestCalled(t, server, name)
		if other == nil {
			t.Fatalf("%q is refused: it cannot be mistaken for anybody", name)
		}
		other.say(map[string]any{"type": "follow", "room": "lobby", "last": 0})
		other.store("lobby", "send", "No, me", original)
		other.store("lobby", "react", "🙌", original)
		other.store("lobby", "send", "/me nods", "")
		others = append(others, other)
	}
	bob.join(server, "lobby") // who comes late is told as much
	bob.write("Who?")
	ada.shows("Who?")

	for _, p := range []*browserPerson{ada, bob} {
		p.waitTagged("authors", "#messages .author", len(alike)+1)
		p.waitTagged("who does something", "#messages .action bdi", len(alike))
		p.waitTagged("people", "#people li b", len(alike)+1)
		p.waitTagged("whose message it is that was answered", ".quote:not([hidden]) b", 1)
		p.hover(".chip")
		p.wait("who reacted", fmt.Sprintf(`document.querySelector(".chip").title.split(" ·").length === %d + 1`, len(alike)))

		p.do(chromedp.Focus(chromedp.CSS("#composer textarea")))
		p.types("@")
		p.wait("offers", `[...document.querySelectorAll("#offers li")].filter((offer) => /d ?a/i.test(offer.innerText)).every((offer) => offer.innerText.includes(" ·"))
			&& document.querySelectorAll("#offers li").length > 4`)
		p.press("Escape")
		p.wipe()
		p.waitWriting("who writes", tagged("#typing bdi", 1), "lobby", others[0])
		p.answers(p.message("No, me"))
		p.wait("who is answered", tagged("#composer .about b", 1))
		p.press("Escape")
		p.click("#open-search")
		p.wait("the search", `document.activeElement.name === "q"`)
		p.types("me")
		p.press("Enter")
		p.wait("what was found", fmt.Sprintf(`document.querySelectorAll("#search li").length === %d`, 2*len(alike)+1))
		p.waitTagged("authors found", "#search li b", len(alike)+1)
		p.open(server, "/")
		p.wait("who is in the room", `document.querySelector("#room-list .here").innerText.split(" ·").length > 3`)
	}
}

// waitTagged waits until the names that the selector finds are told apart: so many, each
// with a tag that is shown, no two the same.
func (p *browserPerson) waitTagged(what, selector string, count int) {
	p.t.Helper()
	p.wait(what, tagged(selector, count))
}

func tagged(selector string, count int) string {
	return fmt.Sprintf(`((names) => names.every((name) => name.dataset.tag && getComputedStyle(name, "::after").content.includes(name.dataset.tag)) &&
		new Set(names.map(({ dataset }) => dataset.tag)).size === %d)([...document.querySelectorAll(%q)].filter(({ textContent }) => textContent !== "Bob"))`, count, selector)
}
