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

// similarNames are names of other guests that look like Ada's. The last one imitates a tag. The server
// refuses the dot of a real tag: see TestNameRefused in package identity.
var similarNames = []string{"Аda" /* the first letter is Cyrillic */, "ADA", "Ada ", "Ａｄａ", "A d a", "Áda", "Ada •9c0"}

func TestSimilarNamesGetDifferentTags(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada, bob := newUser(t, "Ada"), newUser(t, "Bob")
	ada.do(chromedp.EmulateViewport(1280, 800))
	bob.do(chromedp.EmulateViewport(1280, 800))
	ada.join(server, "lobby")
	ada.send("It is me")
	original := strings.TrimPrefix(ada.messageSelector("It is me"), "#m")
	var impostors []*guest
	for _, name := range similarNames {
		impostor := newGuest(t, server, name)
		impostor.follow("lobby")
		impostor.reply("lobby", original, "No, me")
		impostor.react("lobby", original, "🙌")
		impostor.send("lobby", "/me nods")
		impostors = append(impostors, impostor)
	}
	bob.join(server, "lobby") // Bob's page contains the names from the start; Ada's receives them live
	bob.send("Who?")
	ada.waitMessages("Who?")

	for _, u := range []*user{ada, bob} {
		u.waitTags("authors", "#messages .author", len(similarNames)+1)
		u.waitTags("authors of /me", "#messages .action bdi", len(similarNames))
		u.waitTags("people", "#people li b", len(similarNames)+1)
		u.waitTags("the quoted author", ".quote:not([hidden]) b", 1)
		u.hover(".reaction")
		u.wait("the tooltip of the reaction", fmt.Sprintf(`document.querySelector(".reaction").title.split(" ·").length === %d + 1`, len(similarNames)))

		u.focus("#composer textarea")
		u.typeText("@")
		u.wait("completions", `[...document.querySelectorAll("#suggestions li")].filter((offer) => /d ?a/i.test(offer.innerText)).every((offer) => offer.innerText.includes(" ·"))
			&& document.querySelectorAll("#suggestions li").length > 4`)
		u.press("Escape")
		u.clearField()
		u.waitTyping("an impostor to type", haveTags("#typing bdi", 1), "lobby", impostors[0])
		u.startReply(u.messageSelector("No, me"))
		u.waitTags("the author replied to", "#composer .target b", 1)
		u.press("Escape")
		u.click("#open-search")
		u.wait("the search", `document.activeElement.name === "q"`)
		u.typeText("me")
		u.press("Enter")
		u.wait("the results", fmt.Sprintf(`document.querySelectorAll("#search li").length === %d`, 2*len(similarNames)+1))
		u.waitTags("authors in the results", "#search li b", len(similarNames)+1)
		u.open(server, "/")
		u.wait("the people in the room", `document.querySelector("#room-list .present").innerText.split(" ·").length > 3`)
	}
}

// waitTags waits until all names that match the selector show tags, and there are count different tags.
func (u *user) waitTags(what, selector string, count int) {
	u.t.Helper()
	u.wait("the tags of "+what, haveTags(selector, count))
}

// haveTags returns a JavaScript expression. It is true if all names that match the selector, except
// Bob's, show tags, and if there are count different tags.
func haveTags(selector string, count int) string {
	return fmt.Sprintf(`((names) => names.every((name) => name.dataset.tag && getComputedStyle(name, "::after").content.includes(name.dataset.tag)) &&
		new Set(names.map(({ dataset }) => dataset.tag)).size === %d)([...document.querySelectorAll(%q)].filter(({ textContent }) => textContent !== "Bob"))`, count, selector)
}
