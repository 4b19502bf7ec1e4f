//go:build unix

package browser

import (
	"fmt"
	"strings"
	"testing"

	"burble/app/apptest"
	"burble/app/hostile"
	"burble/streams/redistest"

	"github.com/chromedp/chromedp"
)

// findHarm is a script that returns the damage that hostile texts have done to the page.
const findHarm = `(() => {
  const found = [];
  const box = (element) => element.getBoundingClientRect();
  const report = (why, element) => found.push(why + ": " + element.outerHTML.slice(0, 200));
  const forbid = (why, selector) => document.querySelectorAll(selector).forEach((element) => report(why, element));

  if ("` + hostile.Marker + `" in globalThis) found.push("a script ran");
  forbid("a forbidden element", "iframe, object, embed, base, style, plaintext, math, meta[http-equiv], :is(script, img):not([src^='/static/'])");
  forbid("an element in plain text", ":is(.author, .quote > *, .bar .topic span, .room-list .topic, .present bdi, #people b, .typing bdi, .target :is(b, span), #suggestions li, #search b) > *");
  forbid("a forbidden element in a message", ".body :not(p, bdi, br, em, strong, del, code, pre, blockquote, ul, ol, li, hr, span, mark, details, summary, a, wbr)");
  forbid("a forbidden attribute in a message", ".body :is([style], [id], [name])");
  for (const element of document.querySelectorAll("*")) {
    if (element.getAttributeNames().some((name) => name.startsWith("on"))) report("an event handler", element);
    if (element.matches("a[href]") && !["http:", "https:", "mailto:"].includes(element.protocol)) report("a link with a forbidden scheme", element);
    if (element.matches(".body a") && element.host === location.host) report("a link within this site", element);
    if (element.matches(".body [class]") && !/^(language-[\w+#-]+|emoji|action|mention|[kscnftid])$/.test(element.className)) report("a forbidden class", element);
  }
  if (!document.body.textContent.isWellFormed()) found.push("half of a surrogate pair");

  for (const element of document.querySelectorAll("html, body, main, #scroller, .sidebar, .bar, .footer, .card, dialog[open], :popover-open, .body")) {
    // Marks stacked on one letter cannot wrap, so they are clipped.
    if (element.matches(".body") && /\p{M}{9}/u.test(element.textContent)) continue;
    if (element.scrollWidth > element.clientWidth + 1 && element.checkVisibility()) report("wider than its box, " + element.scrollWidth, element);
  }
  for (const element of document.querySelectorAll(".body, .quote, .topic, #search li a")) {
    if (getComputedStyle(element).overflowY === "visible" && element.checkVisibility()) report("not clipped, so that it can cover its surroundings", element);
  }
  for (const name of document.querySelectorAll("[data-tag]")) {
    const parent = name.closest(".quote, .target, .typing, .sidebar, .message, dialog");
    if (name.checkVisibility() && (box(name).left < box(parent).left - 1 || box(name).right > box(parent).right + 1)) report("the tag of a name is out of view", name);
  }
  const column = document.querySelector(".column");
  let above = -Infinity;
  for (const message of document.querySelectorAll(".message")) {
    if (box(message).top < above - 1) report("overlaps the message before", message);
    above = box(message).bottom;
    if (!box(message.querySelector(".body")).height) report("invisible", message);
    for (const part of message.children) {
      const { left, right, top, bottom } = box(part);
      if (!part.checkVisibility() || left === right) continue;
      if (left < box(column).left || right > box(column).right + 1 || top < box(message).top - 1 || bottom > above + 1) report("outside of its message", part);
    }
  }
  return found;
})()`

// expectHarmless checks the page on the screens of a desktop and a phone. It leaves the page on the screen of the phone.
func (u *user) expectHarmless(where string) {
	u.t.Helper()
	for _, width := range []int64{1280, 360} {
		u.do(chromedp.EmulateViewport(width, 800))
		u.expectHarmlessNow(fmt.Sprintf("%s, %d pixels wide", where, width))
	}
}

// expectHarmlessPanels checks panels that open over the page on a phone.
func (u *user) expectHarmlessPanels(panels ...string) {
	u.t.Helper()
	u.do(chromedp.EmulateViewport(360, 800))
	for _, panel := range panels {
		u.runScript(fmt.Sprintf(`document.querySelector(%q).showPopover()`, panel))
		u.expectHarmlessNow(panel + " open")
		u.runScript(fmt.Sprintf(`document.querySelector(%q).hidePopover()`, panel))
	}
}

func (u *user) expectHarmlessNow(where string) {
	u.t.Helper()
	if found := eval[[]string](u, findHarm); len(found) > 0 {
		u.t.Errorf("%s:\n%s", where, strings.Join(found, "\n"))
	}
}

// truncate returns the first count characters of text.
func truncate(text string, count int) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), count)])
}

// hostileText returns the hostile text with the name.
func hostileText(t *testing.T, name string) string {
	t.Helper()
	for _, one := range hostile.Texts {
		if one.Name == name {
			return one.Text
		}
	}
	t.Fatalf("there is no text %q", name)
	return ""
}

func TestHostileMessagesAreHarmless(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada, mallory := newUser(t, "Ada"), newGuest(t, server, "Mallory")
	ada.join(server, "lobby")

	// Each text is a message, a quoted message, and the new text of an edited message.
	ids := make([]string, len(hostile.Texts))
	for i, one := range hostile.Texts {
		ids[i] = mallory.send("lobby", one.Text)
	}
	ada.wait("the last message", `document.querySelector("#m`+ids[len(ids)-1]+`")`)
	ada.expectHarmless("live messages")
	var last string
	for i, one := range hostile.Texts {
		last = mallory.reply("lobby", ids[i], "yes")
		mallory.edit("lobby", last, one.Text)
	}
	ada.wait("the last edit", `document.querySelector("#m`+last+`[data-edited]")`)
	ada.expectHarmless("live replies")
	ada.open(server, "/r/lobby")
	ada.waitUpToDate()
	ada.wait("the quotes", `![...document.querySelectorAll(".quote:not([hidden]) b")].some((name) => !name.innerText)`)
	ada.expectHarmless("reloaded")

	// The composer shows the message being replied to, and the draft.
	ada.startReply("#m" + last)
	draft := hostileText(t, "a script after closing tags") + "\n" + hostileText(t, "an attribute breakout")
	ada.typeText(draft)
	ada.expectHarmless("replying")
	ada.open(server, "/r/lobby")
	ada.wait("the draft", fmt.Sprintf(`document.querySelector("#composer textarea").value === %q`, draft))
	ada.expectHarmless("with a draft")

	// Search results show the texts, too.
	ada.click("#open-search")
	ada.wait("the search", `document.activeElement.name === "q"`)
	ada.typeText(hostile.Marker)
	ada.press("Enter")
	ada.wait("the end of the search", `document.querySelector("#search [role=status]").innerText.includes(" matches in the whole room")`)
	ada.expectHarmless("searching")
	ada.clearField()
	ada.typeText("👩")
	ada.press("Enter")
	ada.wait("the end of the search", `document.querySelector("#search [role=status]").innerText.includes("2 matches in the whole room")`)
	ada.expectHarmless("searching for emoji")
}

func TestHostileTopicsAreHarmless(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada, mallory := newUser(t, "Ada"), newGuest(t, server, "Mallory")
	ada.join(server, "lobby")
	for _, name := range []string{"a broken image with onerror", "unclosed bidirectional controls", "stacked combining marks", "4,000 characters without a space", "30 emoji in a row"} {
		topic := truncate(hostileText(t, name), 120)
		mallory.setTopic("lobby", topic)
		ada.wait("the topic with "+name, fmt.Sprintf(`document.querySelector(".bar .topic span").textContent === %q`, topic))
		ada.expectHarmless("the topic with " + name)
	}
	for i, one := range hostile.Texts {
		mallory.setTopic(fmt.Sprintf("room-%d", i), truncate(one.Text, 120))
	}
	for _, path := range []string{"/", "/r/lobby"} {
		ada.open(server, path)
		ada.wait("the script to render the rooms", fmt.Sprintf(`document.querySelectorAll("#room-list li a[title]").length >= %d`, len(hostile.Texts)))
		ada.expectHarmless(path)
	}
	ada.expectHarmlessPanels("#rooms", "#topic")
}

func TestHostileNamesAreHarmless(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newUser(t, "Ada")
	ada.join(server, "lobby")
	names := []string{strings.Repeat("🙌", 40), "ليلى", "x", "שָּׁלוֹם", "...", "﷽﷽"}
	for _, one := range hostile.Texts {
		names = append(names, one.Text, truncate(one.Text, 40))
	}
	names = append(names, strings.Repeat("W", 40), strings.Repeat("W", 40)) // the widest name, twice, so that it gets tags
	var guests []*guest
	last := ""
	for _, name := range names {
		one := tryGuest(t, server, name)
		if one == nil {
			continue
		}
		one.follow("lobby")
		id := one.send("lobby", "hello")
		one.react("lobby", id, "🙌")
		last = one.reply("lobby", id, "/me says hello")
		guests = append(guests, one)
	}
	t.Logf("the server accepts %d of %d names", len(guests), len(names))
	if len(guests) < 20 {
		t.Errorf("the server accepts %d names, want at least 20", len(guests))
	}
	people := fmt.Sprintf(`document.querySelectorAll("#people li").length === %d`, len(guests)+1)
	ada.wait("all messages and people", fmt.Sprintf(`document.querySelectorAll(".message").length === %d && %s`, 2*len(guests), people))
	ada.expectHarmless("live")
	ada.open(server, "/r/lobby")
	ada.waitUpToDate()
	ada.wait("the people", people)
	ada.expectHarmless("reloaded")
	ada.expectHarmlessPanels("#people")

	ada.startReply("#m" + last)
	ada.waitTyping("the two widest names to type", `document.querySelectorAll("#typing bdi[data-tag]").length === 2`, "lobby", guests[len(guests)-2:]...)
	ada.expectHarmless("replying while others type")
	ada.typeText("@")
	ada.wait("the completions", `document.querySelectorAll("#suggestions li").length === 8`)
	ada.expectHarmless("completing a name")
	ada.open(server, "/")
	ada.wait("the people in the room", `/\d+ more/.test(document.querySelector("#room-list .present bdi").textContent)`)
	ada.expectHarmless("home")
}
