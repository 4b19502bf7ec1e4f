//go:build unix

package browser

import (
	"fmt"
	"strings"

	"burble/app/apptest"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdpnetwork "github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// keysByName maps names to the keyboard's keys.
var keysByName = func() map[string]*kb.Key {
	keys := make(map[string]*kb.Key)
	for _, key := range kb.Keys {
		keys[key.Key] = key
	}
	return keys
}()

var modifierKeys = map[string]chromedp.Modifier{
	"Alt": chromedp.ModifierAlt, "Control": chromedp.ModifierCtrl, "Shift": chromedp.ModifierShift,
}

// press presses keys, such as "Enter" or "Alt+ArrowUp". As with a real keyboard, a key and the text
// that it types are one event, so that a page can prevent the text by handling the key. SendKeys sends
// two events, which leaves a newline after an Enter that the page has handled.
func (u *user) press(keys ...string) {
	u.t.Helper()
	for _, name := range keys {
		var modifiers chromedp.Modifier
		parts := strings.Split(name, "+")
		for _, part := range parts[:len(parts)-1] {
			modifiers |= modifierKeys[part]
		}
		key := keysByName[parts[len(parts)-1]]
		event := input.DispatchKeyEventParams{
			Type: "keyDown", Key: key.Key, Code: key.Code, WindowsVirtualKeyCode: key.Windows, Modifiers: int64(modifiers),
		}
		if modifiers&^chromedp.ModifierShift == 0 {
			event.Text = key.Text
		}
		call(u, input.DispatchKeyEvent, event)
		event.Type, event.Text = "keyUp", ""
		call(u, input.DispatchKeyEvent, event)
	}
}

// typeText types into the focused field. It presses Shift+Enter between lines.
func (u *user) typeText(text string) {
	u.t.Helper()
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			u.press("Shift+Enter")
		}
		u.do(chromedp.KeyEvent(line))
	}
}

// clearField empties the focused field.
func (u *user) clearField() {
	u.t.Helper()
	u.press("Control+a", "Backspace")
}

// composerText returns the text in the composer.
func (u *user) composerText() string {
	u.t.Helper()
	return eval[string](u, `document.querySelector("#composer textarea").value`)
}

// expectComposer checks the text in the composer.
func (u *user) expectComposer(want string) {
	u.t.Helper()
	if got := u.composerText(); got != want {
		u.t.Errorf("%s's composer contains %q, want %q", u.name, got, want)
	}
}

// focusByKey presses a key until an element that matches the selector has the focus.
func (u *user) focusByKey(key, selector string) {
	u.t.Helper()
	focused := fmt.Sprintf(`document.activeElement.matches(%q)`, selector)
	for range 150 {
		if eval[bool](u, focused) {
			return
		}
		u.press(key)
	}
	u.t.Fatalf("%s pressed %s 150 times, and the focus is on %s instead of %s", u.name, key, eval[focusState](u, getFocusState).Element, selector)
}

// focus focuses an element.
func (u *user) focus(selector string) {
	u.t.Helper()
	call(u, dom.Focus, dom.FocusParams{ObjectID: u.element(selector, "true")})
}

// typeInto types into a field.
func (u *user) typeInto(selector, text string) {
	u.t.Helper()
	u.waitVisible(selector)
	u.focus(selector)
	u.typeText(text)
}

// scrollIntoView scrolls until an element is in view.
func (u *user) scrollIntoView(selector string) {
	u.t.Helper()
	call(u, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{ObjectID: u.element(selector, "true")})
}

// click waits until an element is visible and clicks it.
func (u *user) click(selector string) {
	u.t.Helper()
	element := u.element(selector, isVisible)
	call(u, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{ObjectID: element})
	corners := call(u, dom.GetContentQuads, dom.GetContentQuadsParams{ObjectID: element}).Quads[0]
	u.do(chromedp.MouseClickXY((corners[0]+corners[4])/2, (corners[1]+corners[5])/2))
}

// center returns the coordinates of an element's center.
func (u *user) center(selector string) (x, y float64) {
	u.t.Helper()
	at := eval[[]float64](u, fmt.Sprintf(`(({x, y, width, height}) => [x + width / 2, y + height / 2])(document.querySelector(%q).getBoundingClientRect())`, selector))
	return at[0], at[1]
}

// hover moves the mouse to the center of an element.
func (u *user) hover(selector string) {
	u.t.Helper()
	u.scrollIntoView(selector)
	x, y := u.center(selector)
	call(u, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: "mouseMoved", X: x, Y: y})
}

// wheel scrolls with the mouse wheel at a point.
func (u *user) wheel(x, y, pixels float64) {
	u.t.Helper()
	call(u, input.DispatchMouseEvent, input.DispatchMouseEventParams{
		Type: input.DispatchMouseEventTypeMouseWheel, X: x, Y: y, DeltaX: 0.001 /* 0 would be omitted */, DeltaY: pixels,
	})
}

// clickAction hovers over the message with the text and clicks a button in its toolbar.
func (u *user) clickAction(text, button string) {
	u.t.Helper()
	u.hover(u.messageSelector(text) + " .body")
	u.click("#toolbar [name=" + button + "]")
}

// startReply starts a reply to a message by keyboard, because a toolbar opened by the mouse closes
// when the page scrolls.
func (u *user) startReply(messageSelector string) {
	u.t.Helper()
	u.runScript(fmt.Sprintf(`const message = document.querySelector(%q); message.tabIndex = -1; message.focus()`, messageSelector))
	u.press("Enter")
	u.wait("the toolbar", `document.activeElement.closest("#toolbar")`)
	u.runScript(`document.querySelector("#toolbar [name=reply]").click()`)
	u.wait("the composer to show the message", `!document.querySelector("#composer .target").hidden`)
}

// touch sends one touch event. fingers are those that touch the screen.
func (u *user) touch(kind input.DispatchTouchEventType, fingers ...*input.TouchPoint) {
	u.t.Helper()
	call(u, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: append([]*input.TouchPoint{}, fingers...)})
}

// longPress holds a finger on an element until the expression is true, then lifts it.
func (u *user) longPress(selector, until string) {
	u.t.Helper()
	u.waitAnimations()
	x, y := u.center(selector)
	u.touch(input.DispatchTouchEventTypeTouchStart, &input.TouchPoint{X: x, Y: y})
	u.wait("a long press on "+selector, until)
	u.touch(input.DispatchTouchEventTypeTouchEnd)
}

// device is a kind of screen.
type device struct {
	name          string
	width, height int64
	scale         float64
	touch         bool
}

var (
	wide      = device{"wide", 1280, 800, 1, false}
	zoomed    = device{"zoomed", 640, 360, 2, false} // a screen of 1280 by 720 at 200% (WCAG 1.4.4)
	phone     = device{"phone", 390, 844, 2, true}
	narrow    = device{"narrow", 320, 640, 1, true}    // the narrowest in WCAG 1.4.10
	landscape = device{"landscape", 844, 200, 2, true} // a phone in landscape with its keyboard open
)

// emulate sets the page's screen and color scheme, "light" or "dark".
func (u *user) emulate(screen device, scheme string) {
	u.t.Helper()
	call(u, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: screen.width, Height: screen.height, DeviceScaleFactor: screen.scale, Mobile: screen.touch,
	})
	call(u, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: screen.touch})
	call(u, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// hide hides the page by opening another tab in front of it. The returned function shows the page
// again.
func (u *user) hide() (show func()) {
	u.t.Helper()
	ctx, closeTab := chromedp.NewContext(u.ctx, chromedp.WithNewWindow(false))
	u.t.Cleanup(closeTab)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		u.t.Fatalf("%s: %v", u.name, err)
	}
	u.wait("the page to be hidden", `document.hidden`)
	return func() {
		u.t.Helper()
		u.bringToFront()
	}
}

// bringToFront shows the user's tab in front of the profile's other tabs.
func (u *user) bringToFront() {
	u.t.Helper()
	call(u, page.BringToFront, cdp.Empty{})
	u.wait("the page to be visible", `!document.hidden && document.hasFocus()`)
}

// openTab opens a second tab of the same profile. It hides the first tab.
func (u *user) openTab() (other *user, closeTab func()) {
	u.t.Helper()
	ctx, closeTab := chromedp.NewContext(u.ctx, chromedp.WithNewWindow(false))
	other = &user{t: u.t, name: u.name + "'s other tab", ctx: ctx, hasWorker: u.hasWorker}
	if err := chromedp.Listen(ctx, other.recordErrors); err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(func() {
		other.checkErrors()
		closeTab()
	})
	other.openPage()
	return other, closeTab
}

// newDevice opens a second browser profile that is signed in as the same user.
func (u *user) newDevice(server *apptest.Server) *user {
	u.t.Helper()
	other := openProfile(u.t, &user{name: u.name + "'s other device", hasWorker: u.hasWorker})
	for _, cookie := range call(u, cdpnetwork.GetCookies, cdpnetwork.GetCookiesParams{}).Cookies {
		call(other, cdpnetwork.SetCookie, cdpnetwork.SetCookieParams{
			URL: server.URL(), Name: cookie.Name, Value: cookie.Value, HTTPOnly: &cookie.HTTPOnly,
		})
	}
	return other
}
