//go:build unix

package browser

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/input"
)

// linkedSite is a site that messages link to. It records the paths that were requested.
type linkedSite struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string
}

// linkedPicture returns a picture of a linked page. With the race detector, encoding it takes longer on a busy machine than
// the server waits for it.
var linkedPicture = sync.OnceValue(func() []byte {
	picture := image.NewNRGBA(image.Rect(0, 0, 1280, 720))
	draw.Draw(picture, picture.Bounds(), image.NewUniform(color.NRGBA{0x2a, 0x7d, 0x6b, 0xff}), image.Point{}, draw.Src)
	draw.Draw(picture, image.Rect(500, 220, 780, 500), image.NewUniform(color.NRGBA{0xf0, 0xbd, 0x5e, 0xff}), image.Point{}, draw.Src)
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		panic(err)
	}
	return out.Bytes()
})

func startLinkedSite(t *testing.T) *linkedSite {
	t.Helper()
	linkedPicture()
	site := new(linkedSite)
	site.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site.mu.Lock()
		site.requests = append(site.requests, r.Method+" "+r.URL.Path)
		site.mu.Unlock()
		name := strings.TrimPrefix(r.URL.Path, "/")
		if name == "nothing" {
			http.NotFound(w, r)
			return
		}
		if name == "picture.png" {
			w.Header().Set("Content-Type", "image/png")
			w.Write(linkedPicture())
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if strings.HasPrefix(name, "pictured") {
			fmt.Fprint(w, `<meta property="og:image" content="/picture.png">`)
		}
		fmt.Fprintf(w, `<title>Page %s</title><meta name="description" content="All about %s"><meta property="og:site_name" content="Example">`, name, name)
	}))
	t.Cleanup(site.Close)
	return site
}

// env returns the environment setting that allows a server to fetch the site's pages.
func (s *linkedSite) env() string {
	return apptest.PreviewExempt + "=" + strings.TrimPrefix(s.URL, "http://")
}

func (s *linkedSite) requested() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func (s *linkedSite) host() string { return strings.TrimPrefix(s.URL, "http://") }

// insertText inserts the whole text in one step. If the text were typed, a slow machine could pause in the middle of a link.
func (u *user) insertText(text string) {
	u.t.Helper()
	call(u, input.InsertText, input.InsertTextParams{Text: text})
}

const composerCard = `document.querySelector("#composer .link-preview:not([hidden]) .link-card")`

// waitCard waits until the composer shows a card with the title, or no card if title is empty.
func (u *user) waitCard(title string) {
	u.t.Helper()
	u.wait("the card "+title, fmt.Sprintf(`(%s?.querySelector("a").textContent ?? "") === %q`, composerCard, title))
}

// cardScript returns a JavaScript expression that yields the text of a message's card, or "none" if it has no card.
func cardScript(message string) string {
	return fmt.Sprintf(`(() => {
		const card = document.querySelector("%s > .link-card:not([hidden])");
		return card ? [...card.children].map(({ textContent }) => textContent).filter(Boolean).join("|") : "none";
	})()`, message)
}

func (u *user) cardOf(text string) string {
	u.t.Helper()
	return eval[string](u, cardScript(u.messageSelector(text)))
}

func (u *user) waitCardOf(text, want string) {
	u.t.Helper()
	u.wait("the card of "+text+" to be "+want, fmt.Sprintf(`%s === %q`, cardScript(u.messageSelector(text)), want))
}

// waitUnsentCard waits until the unsent message's card has the text.
func (u *user) waitUnsentCard(want string) {
	u.t.Helper()
	u.wait("the card of the unsent message", fmt.Sprintf(`%s === %q`, cardScript("#messages [data-state]"), want))
}

func TestAuthorsPreviewLinks(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis, site := redistest.Start(t), startLinkedSite(t)
	here, there := apptest.Start(t, redis, site.env()), apptest.Start(t, redis, site.env())
	ada, bob := newUser(t, "Ada"), newUser(t, "Bob")
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	card := func(name string) string {
		return "Example " + site.host() + "|Page " + name + "|All about " + name
	}

	// A link is complete once it is followed by a space or a pause.
	ada.insertText("see " + site.URL + "/one ")
	ada.waitCard("Page one")
	ada.press("Enter")
	first := "see " + site.URL + "/one"
	bob.waitMessages(first)
	bob.waitCardOf(first, card("one"))
	ada.waitCardOf(first, card("one"))
	ada.waitCard("")
	ada.insertText(site.URL + "/two")
	ada.waitCard("Page two")

	// Esc dismisses this link's card for the rest of the message. The next link gets a card of its own.
	ada.press("Escape")
	ada.waitCard("")
	ada.insertText(" and " + site.URL + "/three ")
	ada.waitCard("Page three")
	ada.click(`#composer .link-preview button[title^="Remove"]`)
	ada.waitCard("")
	ada.press("Enter")
	second := site.URL + "/two and " + site.URL + "/three"
	bob.waitMessages(first, second)
	if got := bob.cardOf(second); got != "none" {
		t.Errorf("a message whose preview was dismissed has the card %q, want none", got)
	}

	// Neither a link in code nor a link to a page that does not exist gets a card.
	ada.insertText("`" + site.URL + "/code` " + site.URL + "/nothing " + site.URL + "/four ")
	ada.waitCard("Page four")
	ada.press("Enter")
	third := site.URL + "/code " + site.URL + "/nothing " + site.URL + "/four"
	bob.waitMessages(first, second, third)
	bob.waitCardOf(third, card("four"))

	// A page that the server renders shows the same cards. The readers' browsers request nothing from the site.
	requested := site.requested()
	eve := newUser(t, "Eve")
	eve.join(there, "lobby")
	eve.expect("the card", `document.querySelectorAll("#messages .link-card").length + " " + `+cardScript("#messages article:has(.link-card)"), "2 "+card("one"))
	if after := site.requested(); !slices.Equal(after, requested) {
		t.Errorf("the site got the requests %v, but %v after a reader opened the room; want no more", requested, after)
	}
	if want := []string{"GET /one", "GET /two", "GET /three", "GET /nothing", "GET /four"}; !slices.Equal(requested, want) {
		t.Errorf("the site got the requests %v, want %v", requested, want)
	}
	removeCards([]*user{ada, bob, eve}, first, second)
}

// removeCards edits the last message, which removes its link and hides its card. Then it deletes the message with the text
// first, and so its card. The first reader wrote three messages: first, second, and the last one.
func removeCards(readers []*user, first, second string) {
	ada := readers[0]
	ada.press("ArrowUp")
	ada.wait("the edit", `document.querySelector("#composer textarea").value.includes("/four")`)
	ada.clearField()
	ada.typeText("no link")
	ada.press("Enter")
	for _, reader := range readers {
		reader.waitMessages(first, second, "no link")
		reader.waitCardOf("no link", "none")
	}
	ada.clickAction(first, "delete")
	ada.click("#toolbar [name=delete]") // a second time, to confirm
	for _, reader := range readers {
		reader.wait("the card to be removed", `document.querySelectorAll("#messages .link-card:not([hidden])").length === 0`)
		reader.wait("the deleted card to be gone", `!document.querySelector("[data-deleted] .link-card")`)
	}
}

// The picture on a card is a file in the message: its size is known before it loads, both servers provide it, and it is
// removed with the message.
func TestPreviewsHavePictures(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis, site, files := redistest.Start(t), startLinkedSite(t), "FILES="+t.TempDir()
	here, there := apptest.Start(t, redis, site.env(), files), apptest.Start(t, redis, site.env(), files)
	ada, bob := newUser(t, "Ada"), newUser(t, "Bob")
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	text := site.URL + "/pictured"
	ada.insertText(text + " ")
	ada.waitCard("Page pictured")
	ada.wait("the picture in the composer", composerCard+`?.querySelector("img")?.naturalWidth === 640`)
	ada.press("Enter")
	const picture = `document.querySelector("#messages [id] > .link-card img")`
	for _, reader := range []*user{ada, bob} {
		reader.waitCardOf(text, "Example "+site.host()+"|Page pictured|All about pictured")
		reader.wait("the picture", picture+`?.naturalWidth === 640`)
		reader.expect("its attributes", picture+`.width + " " + `+picture+`.height + " " + new URL(`+picture+`.src).pathname.replace(/[0-9]+-[0-9]+/, "ID")`, "80 80 /f/lobby/ID/preview")
	}
	eve := newUser(t, "Eve")
	eve.join(there, "lobby")
	eve.wait("the picture", picture+`?.naturalWidth === 640`)
	eve.expect("its size", `["width", "height"].map((name) => `+picture+`.getAttribute(name)).join(" ")`, "640 360")
	if want := []string{"GET /pictured", "GET /picture.png"}; !slices.Equal(site.requested(), want) {
		t.Errorf("the site got the requests %v, want %v", site.requested(), want)
	}
	path := eval[string](eve, `new URL(`+picture+`.src).pathname`)
	ada.clickAction(text, "delete")
	ada.click("#toolbar [name=delete]")
	eve.wait("the card to be removed", `!document.querySelector("#messages .link-card")`)
	if status, _ := there.Get(path); status != http.StatusNotFound {
		t.Errorf("the picture of the deleted message has the status %d, want 404", status)
	}
}

func TestPreviewIsSentLaterOrNotAtAll(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis, site := redistest.Start(t), startLinkedSite(t)
	server := apptest.Start(t, redis, site.env())
	ada, bob := newUser(t, "Ada"), newUser(t, "Bob")
	ada.join(server, "lobby")
	bob.join(server, "lobby")
	ada.allowErrors("ERR_INTERNET_DISCONNECTED")

	// The message keeps its card while it waits for the network.
	text := "later " + site.URL + "/late"
	ada.insertText(text + " ")
	ada.waitCard("Page late")
	ada.setOffline(true)
	ada.waitStatus("offline", "Offline")
	ada.press("Enter")
	want := "Example " + site.host() + "|Page late|All about late"
	ada.waitUnsentCard(want)
	ada.setOffline(false)
	bob.waitCardOf(text, want)
	ada.waitCardOf(text, want)

	// A card whose token has become invalid does not prevent the message from being sent.
	expired := "again " + site.URL + "/expired"
	ada.insertText(expired + " ")
	ada.waitCard("Page expired")
	ada.setOffline(true)
	ada.waitStatus("offline", "Offline")
	ada.press("Enter")
	ada.waitUnsentCard("Example " + site.host() + "|Page expired|All about expired")
	ada.runScript(`for (const [key, value] of Object.entries(localStorage)) if (key.startsWith("burble:outbox:")) localStorage[key] = value.replace(/("preview":"[^"]*)[^"]{3}"/, '$1AAA"')`)
	ada.setOffline(false)
	ada.waitMessages(text, expired)
	bob.waitMessages(text, expired)
	for _, reader := range []*user{ada, bob} {
		if got := reader.cardOf(expired); got != "none" {
			t.Errorf("%s sees the card %q, want none", reader.name, got)
		}
	}
}

func TestPreviewsInDirectRoomsMustBeRequested(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis, site := redistest.Start(t), startLinkedSite(t)
	server := apptest.Start(t, redis, site.env())
	ada := newUser(t, "Ada")
	ada.join(server, "lobby")
	ada.runScript(`document.body.dataset.previews = "ask"`)
	ada.insertText(site.URL + "/private ")
	ada.wait("the button", `document.querySelector("#composer .link-preview button")?.textContent === "Add preview"`)
	if requested := site.requested(); len(requested) > 0 {
		t.Errorf("the site got the requests %v before the author asked for a preview", requested)
	}
	ada.click("#composer .link-preview button")
	ada.waitCard("Page private")
}

func TestComposerWithoutPreviews(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis, site := redistest.Start(t), startLinkedSite(t)
	server := apptest.Start(t, redis, site.env(), "PREVIEWS=off")
	ada := newUser(t, "Ada")
	ada.join(server, "lobby")
	ada.expect("whether the page has the attribute for previews", `String("previews" in document.body.dataset)`, "false")
	ada.send(site.URL + "/off")
	ada.waitMessages(site.URL + "/off")
	if requested := site.requested(); len(requested) > 0 {
		t.Errorf("the site got the requests %v, want none", requested)
	}
}
