//go:build unix

package browser

import (
	"fmt"
	"strings"

	"burble/app/apptest"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	cdpnetwork "github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// What a person does with mouse and keyboard.

// keyboard has the keys by their names.
var keyboard = func() map[string]*kb.Key {
	keys := make(map[string]*kb.Key)
	for _, key := range kb.Keys {
		keys[key.Key] = key
	}
	return keys
}()

var modifierKeys = map[string]chromedp.Modifier{
	"Alt": chromedp.ModifierAlt, "Control": chromedp.ModifierCtrl, "Shift": chromedp.ModifierShift,
}

// press presses keys, each as "Enter", "Alt+ArrowUp". A key and what it types are one
// event, as from a real keyboard: a page that takes the key keeps it from being typed.
// (SendKeys sends two, and leaves a newline after an Enter that was taken.)
func (p *browserPerson) press(keys ...string) {
	p.t.Helper()
	for _, name := range keys {
		var modifiers chromedp.Modifier
		parts := strings.Split(name, "+")
		for _, part := range parts[:len(parts)-1] {
			modifiers |= modifierKeys[part]
		}
		key := keyboard[parts[len(parts)-1]]
		event := input.DispatchKeyEventParams{
			Type: "keyDown", Key: key.Key, Code: key.Code, WindowsVirtualKeyCode: key.Windows, Modifiers: int64(modifiers),
		}
		if modifiers&^chromedp.ModifierShift == 0 {
			event.Text = key.Text
		}
		command(p, input.DispatchKeyEvent, event)
		event.Type, event.Text = "keyUp", ""
		command(p, input.DispatchKeyEvent, event)
	}
}

// types types where the focus is, with Shift-Enter between lines.
func (p *browserPerson) types(text string) {
	p.t.Helper()
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			p.press("Shift+Enter")
		}
		p.do(chromedp.KeyEvent(line))
	}
}

func (p *browserPerson) click(selector string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(selector)))
}

// hover moves the mouse to the middle of an element.
func (p *browserPerson) hover(selector string) {
	p.t.Helper()
	p.do(chromedp.ScrollIntoView(chromedp.CSS(selector)))
	at := see[[]float64](p, fmt.Sprintf(`(({x, y, width, height}) => [x + width / 2, y + height / 2])(document.querySelector(%q).getBoundingClientRect())`, selector))
	command(p, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: "mouseMoved", X: at[0], Y: at[1]})
}

// message is the selector of the message with the text.
func (p *browserPerson) message(text string) string {
	p.t.Helper()
	p.shows(text)
	return "#" + see[string](p, fmt.Sprintf(
		`[...document.querySelectorAll("#messages .message[id]")].find((m) => m.querySelector(".body")?.innerText.trim() === %q).id`, text))
}

// does presses a button of the toolbar that pointing at a message brings up.
func (p *browserPerson) does(text, button string) {
	p.t.Helper()
	p.hover(p.message(text) + " .body")
	p.click("#toolbar [name=" + button + "]")
}

// wipe empties the field that has the focus.
func (p *browserPerson) wipe() {
	p.t.Helper()
	p.press("Control+a", "Backspace")
}

// writing is what is in the composer.
func (p *browserPerson) writing() string {
	p.t.Helper()
	return see[string](p, `document.querySelector("#composer textarea").value`)
}

// expect checks a string that the page has now.
func (p *browserPerson) expect(what, expression, want string) {
	p.t.Helper()
	if got := see[string](p, expression); got != want {
		p.t.Errorf("%s: %s is %q, want %q", p.name, what, got, want)
	}
}

// looksAway opens another tab over the page, which is hidden then, and returns what
// looks at the page again.
func (p *browserPerson) looksAway() (back func()) {
	p.t.Helper()
	ctx, end := chromedp.NewContext(p.ctx, chromedp.WithNewWindow(false))
	p.t.Cleanup(end)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
	p.wait("the page to be hidden", `document.hidden`)
	return func() {
		p.t.Helper()
		command(p, page.BringToFront, cdp.Empty{})
		p.wait("the page to be looked at", `!document.hidden && document.hasFocus()`)
	}
}

// inAnotherTab is a second tab of the same profile, over the first one, which is hidden
// then, and what closes it.
func (p *browserPerson) inAnotherTab() (other *browserPerson, end func()) {
	p.t.Helper()
	ctx, end := chromedp.NewContext(p.ctx, chromedp.WithNewWindow(false))
	other = &browserPerson{t: p.t, name: p.name + "'s other tab", ctx: ctx}
	if err := chromedp.Listen(ctx, other.listen); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		other.expectNoComplaints()
		end()
	})
	if err := chromedp.Do(ctx); err != nil {
		p.t.Fatalf("%s: %v", other.name, err)
	}
	return other, end
}

// onAnotherDevice is a second browser in which the person is known.
func (p *browserPerson) onAnotherDevice(server *apptest.Server) *browserPerson {
	p.t.Helper()
	other := newBrowserPerson(p.t, p.name+"'s other browser")
	other.do()
	for _, cookie := range command(p, cdpnetwork.GetCookies, cdpnetwork.GetCookiesParams{}).Cookies {
		command(other, cdpnetwork.SetCookie, cdpnetwork.SetCookieParams{
			URL: server.URL(), Name: cookie.Name, Value: cookie.Value, HTTPOnly: &cookie.HTTPOnly,
		})
	}
	return other
}
