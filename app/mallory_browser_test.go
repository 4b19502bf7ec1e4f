//go:build unix && unfinished

package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"burble/app/mallory"
	"burble/streams/redistest"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
)

// findHarm says what is wrong with a page in which Mallory wrote.
const findHarm = `(() => {
  const wrong = [];
  const box = (element) => element.getBoundingClientRect();
  const about = (element) => element.outerHTML.slice(0, 200);
  if ("` + mallory.Ran + `" in globalThis) wrong.push("a script ran");
  const strange = "iframe, object, embed, base, style, plaintext, math, noscript :not(*), .message :is(script, form, input, img, svg, link, meta)";
  for (const element of document.querySelectorAll(strange)) wrong.push("an element: " + about(element));
  const may = "p, bdi, br, em, strong, del, code, pre, blockquote, ul, ol, li, hr, span, mark, details, summary, a";
  for (const element of document.querySelectorAll(".body *")) if (!element.matches(may)) wrong.push("in a message: " + about(element));
  for (const element of document.querySelectorAll("*")) {
    if (element.getAttributeNames().some((name) => name.startsWith("on"))) wrong.push("a handler: " + about(element));
    if (element.matches("a[href]") && !["http:", "https:", "mailto:"].includes(element.protocol)) wrong.push("a link: " + about(element));
    if (element.matches(".body a") && element.host === location.host) wrong.push("a link within: " + about(element));
  }

  for (const element of document.querySelectorAll("html, body, main, #scroller, .side, .bar, dialog[open], .body")) {
    if (/\p{M}{9}/u.test(element.textContent) && element.matches(".body")) continue; // One letter: it is cut.
    if (element.scrollWidth > element.clientWidth + 1 && element.checkVisibility()) wrong.push("wider than its place: " + element.scrollWidth + " " + about(element));
  }
  for (const element of document.querySelectorAll(".body, .quote, .topic, #search li a")) {
    if (getComputedStyle(element).overflowY === "visible" && element.checkVisibility()) wrong.push("painted over what is around: " + about(element));
  }
  const column = document.querySelector(".column");
  let above = -Infinity;
  for (const message of document.querySelectorAll(".message")) {
    if (box(message).top < above - 1) wrong.push("over the one before: " + about(message));
    above = box(message).bottom;
    for (const part of message.children) {
      const { left, right, top, bottom } = box(part);
      if (!part.checkVisibility() || left === right) continue;
      if (left < box(column).left || right > box(column).right + 1 || top < box(message).top - 1 || bottom > above + 1) wrong.push("out of its message: " + about(part));
    }
  }
  return wrong;
})()`

// expectNoHarm checks the page on a desk and on a phone.
func (p *browserPerson) expectNoHarm(where string) {
	p.t.Helper()
	for _, width := range []int64{1280, 360} {
		p.do(chromedp.EmulateViewport(width, 800))
		if wrong := see[[]string](p, findHarm); len(wrong) > 0 {
			p.t.Errorf("%s, %d pixels wide:\n%s", where, width, strings.Join(wrong, "\n"))
		}
	}
}

// scribe is somebody who writes with a program.
type scribe struct {
	*socket
	t *testing.T
}

func newScribe(t *testing.T, server *process, token string) *scribe {
	t.Helper()
	s, err := dial(server.url(), token, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.cut)
	return &scribe{s, t}
}

// store has a frame stored in a room, and returns its entry ID.
func (s *scribe) store(room, kind, text, of string) string {
	s.t.Helper()
	frame := map[string]any{"type": kind, "room": room, "key": uuid.NewString(), "text": text}
	switch {
	case kind == "send" && of != "":
		frame["reply_to"] = of
	case kind == "react":
		frame["of"], frame["emoji"], frame["on"] = of, text, true
		delete(frame, "text")
	case of != "":
		frame["of"] = of
	}
	s.say(frame)
	for {
		answer, err := s.hear()
		if err != nil || answer.Type == "error" {
			s.t.Fatalf("%s %q: %+v, %v", kind, text, answer, err)
		}
		if answer.Type == "stored" {
			return answer.ID
		}
	}
}

// cut is the first characters of a text.
func cut(text string, most int) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), most)])
}

func TestWhatMalloryWritesBreaksNoPage(t *testing.T) {
	t.Parallel()
	server := burble(t, redistest.Start(t))
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "mischief")
	writer := newScribe(t, server, server.token("Mallory"))

	// As messages, topics, what is answered, and what messages are changed to; while
	// the page is open, and opened anew.
	first := make([]string, len(mallory.Texts))
	for i, written := range mallory.Texts {
		first[i] = writer.store("mischief", "send", written.Text, "")
		writer.store("mischief", "topic", cut(written.Text, 120), "")
	}
	ada.expectLast(first[len(first)-1])
	ada.expectNoHarm("live")
	var last string
	for i, written := range mallory.Texts {
		last = writer.store("mischief", "send", "yes", first[i])
		writer.store("mischief", "edit", written.Text, last)
	}
	ada.expectLast(last)
	ada.expectNoHarm("live, answered")
	ada.open(server, "/r/mischief")
	ada.upToDate()
	ada.wait("what was answered", `![...document.querySelectorAll(".quote:not([hidden]) b")].some((name) => !name.innerText)`)
	ada.expectNoHarm("opened anew")

	// As a draft, and in what a search finds.
	draft := mallory.Texts[1].Text + "\n" + mallory.Texts[3].Text
	ada.do(chromedp.Focus(chromedp.CSS("#composer textarea")))
	ada.types(draft)
	ada.open(server, "/r/mischief")
	if got := ada.writing(); got != draft {
		t.Errorf("the draft is %q", got)
	}
	ada.click("#open-search")
	ada.wait("the search", `document.activeElement.name === "q"`)
	ada.types(mallory.Ran)
	ada.press("Enter")
	ada.wait("the end of it", `document.querySelector("#search [role=status]").innerText.includes(" messages in all")`)
	ada.expectNoHarm("searching")

	// As topics of rooms in the list.
	for i, written := range mallory.Texts {
		writer.store(fmt.Sprintf("room-%d", i), "topic", cut(written.Text, 120), "")
	}
	for _, path := range []string{"/", "/r/mischief"} {
		ada.open(server, path)
		ada.wait("the rooms", fmt.Sprintf(`document.querySelectorAll("#room-list li").length >= %d`, len(mallory.Texts)))
		ada.expectNoHarm(path)
	}
}

// expectLast waits until the last entry is shown and what comes after it was done.
func (p *browserPerson) expectLast(id string) {
	p.t.Helper()
	p.wait("the last of it", `document.querySelector("#m`+id+`")`)
	p.upToDate()
}

func TestNamesMalloryGoesByBreakNoPage(t *testing.T) {
	t.Parallel()
	server := burble(t, redistest.Start(t))
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "names")
	names := []string{strings.Repeat("🙌", 40), strings.Repeat("W", 40), "ليلى", "x", "שָּׁלוֹם", "...", "﷽﷽"}
	for _, written := range mallory.Texts {
		names = append(names, written.Text, cut(written.Text, 40))
	}
	said := 0
	for _, name := range names {
		body, _ := json.Marshal(map[string]string{"name": name})
		status, answer := server.ask(http.MethodPost, "/session", string(body), "Content-Type", "application/json")
		if status == http.StatusBadRequest && strings.Contains(answer, `"name"`) {
			continue
		}
		var session struct{ Token string }
		if err := json.Unmarshal([]byte(answer), &session); err != nil || status != http.StatusOK {
			t.Fatalf("%q: %d %s", name, status, answer)
		}
		guest := newScribe(t, server, session.Token)
		guest.say(map[string]any{"type": "follow", "room": "names", "last": 0})
		id := guest.store("names", "send", "hello", "")
		guest.store("names", "react", "🙌", id)
		guest.store("names", "send", "/me says hello", id)
		guest.say(map[string]any{"type": "typing", "room": "names"})
		said += 2
	}
	t.Logf("%d of %d names are taken", said/2, len(names))
	if said/2 < 20 {
		t.Error("hardly any name is taken")
	}
	ada.wait("all of them", fmt.Sprintf(`document.querySelectorAll(".message").length === %d && document.querySelectorAll("#people li").length === %d`, said, said/2+1))
	ada.expectNoHarm("live")
	ada.open(server, "/r/names")
	ada.upToDate()
	ada.wait("the people", fmt.Sprintf(`document.querySelectorAll("#people li").length === %d`, said/2+1))
	ada.expectNoHarm("opened anew")
	ada.click("#composer textarea")
	ada.types("@")
	ada.wait("names to be offered", `document.querySelectorAll("#offers li").length === 8`)
	ada.expectNoHarm("completing")
}
