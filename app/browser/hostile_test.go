//go:build unix

package browser

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/hostile"
	"burble/streams/redistest"

	"github.com/chromedp/chromedp"
)

// findHarm says what is wrong with a page in which Mallory wrote.
const findHarm = `(() => {
  const wrong = [];
  const box = (element) => element.getBoundingClientRect();
  const tell = (why, element) => wrong.push(why + ": " + element.outerHTML.slice(0, 200));
  const forbid = (why, selector) => document.querySelectorAll(selector).forEach((element) => tell(why, element));

  if ("` + hostile.Marker + `" in globalThis) wrong.push("a script ran");
  forbid("an element", "iframe, object, embed, base, style, plaintext, math, meta[http-equiv], :is(script, img):not([src^='/static/'])");
  forbid("in what is only text", ":is(.author, .quote > *, .bar .topic span, .room-list .topic, .here bdi, #people b, .typing bdi, .about :is(b, span), #offers li, #search b) > *");
  forbid("in a message", ".body :not(p, bdi, br, em, strong, del, code, pre, blockquote, ul, ol, li, hr, span, mark, details, summary, a)");
  forbid("in a message", ".body :is([style], [id], [name])");
  for (const element of document.querySelectorAll("*")) {
    if (element.getAttributeNames().some((name) => name.startsWith("on"))) tell("a handler", element);
    if (element.matches("a[href]") && !["http:", "https:", "mailto:"].includes(element.protocol)) tell("a link", element);
    if (element.matches(".body a") && element.host === location.host) tell("a link within", element);
    if (element.matches(".body [class]") && !/^(language-[\w+#-]+|emoji|action|mention|[kscnftid])$/.test(element.className)) tell("a class", element);
  }
  if (!document.body.textContent.isWellFormed()) wrong.push("half of a character");

  for (const element of document.querySelectorAll("html, body, main, #scroller, .side, .bar, .below, .card, dialog[open], :popover-open, .body")) {
    // Marks piled onto one letter cannot be broken into lines: they are cut.
    if (element.matches(".body") && /\p{M}{9}/u.test(element.textContent)) continue;
    if (element.scrollWidth > element.clientWidth + 1 && element.checkVisibility()) tell("wider than its place, " + element.scrollWidth, element);
  }
  for (const element of document.querySelectorAll(".body, .quote, .topic, #search li a")) {
    if (getComputedStyle(element).overflowY === "visible" && element.checkVisibility()) tell("painted over what is around", element);
  }
  for (const name of document.querySelectorAll("[data-tag]")) {
    const place = name.closest(".quote, .about, .typing, .side, .message, dialog");
    if (name.checkVisibility() && (box(name).left < box(place).left - 1 || box(name).right > box(place).right + 1)) tell("its tag is out of sight", name);
  }
  const column = document.querySelector(".column");
  let above = -Infinity;
  for (const message of document.querySelectorAll(".message")) {
    if (box(message).top < above - 1) tell("over the one before", message);
    above = box(message).bottom;
    if (!box(message.querySelector(".body")).height) tell("not to be seen", message);
    for (const part of message.children) {
      const { left, right, top, bottom } = box(part);
      if (!part.checkVisibility() || left === right) continue;
      if (left < box(column).left || right > box(column).right + 1 || top < box(message).top - 1 || bottom > above + 1) tell("out of its message", part);
    }
  }
  return wrong;
})()`

// expectNoHarm checks the page on a desk and on a phone, where it stays.
func (p *browserPerson) expectNoHarm(where string) {
	p.t.Helper()
	for _, width := range []int64{1280, 360} {
		p.do(chromedp.EmulateViewport(width, 800))
		p.expectNoHarmNow(fmt.Sprintf("%s, %d pixels wide", where, width))
	}
}

// expectNoHarmOpening checks what opens over the page on a phone, and has what others
// wrote in it.
func (p *browserPerson) expectNoHarmOpening(drawers ...string) {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(360, 800))
	for _, drawer := range drawers {
		p.runs(fmt.Sprintf(`document.querySelector(%q).showPopover()`, drawer))
		p.expectNoHarmNow("with " + drawer + " open")
		p.runs(fmt.Sprintf(`document.querySelector(%q).hidePopover()`, drawer))
	}
}

func (p *browserPerson) expectNoHarmNow(where string) {
	p.t.Helper()
	if wrong := see[[]string](p, findHarm); len(wrong) > 0 {
		p.t.Errorf("%s:\n%s", where, strings.Join(wrong, "\n"))
	}
}

// cut is the first characters of a text.
func cut(text string, most int) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), most)])
}

// written is the corpus's text of that name.
func written(t *testing.T, name string) string {
	t.Helper()
	for _, one := range hostile.Texts {
		if one.Name == name {
			return one.Text
		}
	}
	t.Fatalf("there is no text %q", name)
	return ""
}

func TestWhatMalloryWritesBreaksNoPage(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "mischief")
	writer := newScribe(t, server, server.SignIn("Mallory"))

	// As messages, as what is answered, and as what messages are changed to; while the
	// page is open, and opened anew.
	first := make([]string, len(hostile.Texts))
	for i, one := range hostile.Texts {
		first[i] = writer.store("mischief", "send", one.Text, "")
	}
	ada.wait("the last of it", `document.querySelector("#m`+first[len(first)-1]+`")`)
	ada.expectNoHarm("live")
	var last string
	for i, one := range hostile.Texts {
		last = writer.store("mischief", "send", "yes", first[i])
		writer.store("mischief", "edit", one.Text, last)
	}
	ada.wait("the last to be changed", `document.querySelector("#m`+last+`[data-edited]")`)
	ada.expectNoHarm("live, answered")
	ada.open(server, "/r/mischief")
	ada.upToDate()
	ada.wait("what was answered", `![...document.querySelectorAll(".quote:not([hidden]) b")].some((name) => !name.innerText)`)
	ada.expectNoHarm("opened anew")

	ada.answersAndSearches(server, last)
	ada.seesTopics(server, writer)
}

// answersAndSearches has what was written stand beside the messages: as what is being
// answered, in a draft, in what a search finds.
func (p *browserPerson) answersAndSearches(server *apptest.Server, answered string) {
	p.t.Helper()
	p.answers("#m" + answered)
	draft := written(p.t, "a script after closing tags") + "\n" + written(p.t, "an attribute breakout")
	p.types(draft)
	p.expectNoHarm("answering")
	p.open(server, "/r/mischief")
	p.wait("the draft", fmt.Sprintf(`document.querySelector("#composer textarea").value === %q`, draft))
	p.expectNoHarm("with a draft")
	p.click("#open-search")
	p.wait("the search", `document.activeElement.name === "q"`)
	p.types(hostile.Marker)
	p.press("Enter")
	p.wait("the end of it", `document.querySelector("#search [role=status]").innerText.includes(" messages in the whole room")`)
	p.expectNoHarm("searching")
	p.wipe()
	p.types("👩")
	p.press("Enter")
	p.wait("what has emoji", `document.querySelector("#search [role=status]").innerText.includes("2 messages in the whole room")`)
	p.expectNoHarm("searching emoji")
}

// answers begins to answer a message, by keyboard: what a mouse brings up goes when the
// page scrolls.
func (p *browserPerson) answers(message string) {
	p.t.Helper()
	p.runs(fmt.Sprintf(`const message = document.querySelector(%q); message.tabIndex = -1; message.focus()`, message))
	p.press("Enter")
	p.wait("the toolbar", `document.activeElement.closest("#toolbar")`)
	p.runs(`document.querySelector("#toolbar [name=reply]").click()`)
	p.wait("what is answered", `!document.querySelector("#composer .about").hidden`)
}

// seesTopics has what was written be the topic of the room that is looked at, and of
// all that are listed.
func (p *browserPerson) seesTopics(server *apptest.Server, writer *scribe) {
	p.t.Helper()
	p.open(server, "/r/mischief")
	p.upToDate()
	for _, name := range []string{"a broken image with onerror", "unclosed bidirectional controls", "stacked combining marks", "4,000 characters without a space", "30 emoji in a row"} {
		topic := cut(written(p.t, name), 120)
		writer.store("mischief", "topic", topic, "")
		p.wait("the topic "+name, fmt.Sprintf(`document.querySelector(".bar .topic span").textContent === %q`, topic))
		p.expectNoHarm("with the topic " + name)
	}
	for i, one := range hostile.Texts {
		writer.store(fmt.Sprintf("room-%d", i), "topic", cut(one.Text, 120), "")
	}
	for _, path := range []string{"/", "/r/mischief"} {
		p.open(server, path)
		p.wait("the rooms, drawn by the script", fmt.Sprintf(`document.querySelectorAll("#room-list li a[title]").length >= %d`, len(hostile.Texts)))
		p.expectNoHarm(path)
	}
	p.expectNoHarmOpening("#rooms", "#topic")
}

func TestNamesMalloryGoesByBreakNoPage(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "names")
	names := []string{strings.Repeat("🙌", 40), "ليلى", "x", "שָּׁלוֹם", "...", "﷽﷽"}
	for _, one := range hostile.Texts {
		names = append(names, one.Text, cut(one.Text, 40))
	}
	names = append(names, strings.Repeat("W", 40), strings.Repeat("W", 40)) // the widest, and told apart
	var guests []*scribe
	last := ""
	for _, name := range names {
		guest := guestCalled(t, server, name)
		if guest == nil {
			continue
		}
		guest.say(map[string]any{"type": "follow", "room": "names", "last": 0})
		id := guest.store("names", "send", "hello", "")
		guest.store("names", "react", "🙌", id)
		last = guest.store("names", "send", "/me says hello", id)
		guests = append(guests, guest)
	}
	t.Logf("%d of %d names are taken", len(guests), len(names))
	if len(guests) < 20 {
		t.Error("hardly any name is taken")
	}
	here := fmt.Sprintf(`document.querySelectorAll("#people li").length === %d`, len(guests)+1)
	ada.wait("all of them", fmt.Sprintf(`document.querySelectorAll(".message").length === %d && %s`, 2*len(guests), here))
	ada.expectNoHarm("live")
	ada.open(server, "/r/names")
	ada.upToDate()
	ada.wait("the people", here)
	ada.expectNoHarm("opened anew")
	ada.expectNoHarmOpening("#people")

	ada.answers("#m" + last)
	ada.waitWriting("the two widest to write", `document.querySelectorAll("#typing bdi[data-tag]").length === 2`, "names", guests[len(guests)-2:]...)
	ada.expectNoHarm("answering while others write")
	ada.types("@")
	ada.wait("names to be offered", `document.querySelectorAll("#offers li").length === 8`)
	ada.expectNoHarm("completing")
	ada.open(server, "/")
	ada.wait("who is in the room", `/\d+ more/.test(document.querySelector("#room-list .here bdi").textContent)`)
	ada.expectNoHarm("at home")
}

// waitWriting waits for what the page shows while those write. They go on saying so:
// what it shows passes after some seconds.
func (p *browserPerson) waitWriting(what, expression, room string, who ...*scribe) {
	p.t.Helper()
	for deadline := time.Now().Add(browserPatience); !see[bool](p, expression); {
		if time.Now().After(deadline) {
			p.t.Fatalf("%s waited in vain for %s:\n%s", p.name, what, p.page())
		}
		for _, one := range who {
			if err := one.say(map[string]any{"type": "typing", "room": room}); err != nil {
				p.t.Fatal(err)
			}
		}
	}
}
