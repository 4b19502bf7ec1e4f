//go:build unix

package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/css"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Helpers, by file:
//
//	helpers_test.go        Chromium; user, a browser profile with one page; do, call, eval
//	helpers_page_test.go   open, join and send; waiting for the page to show something
//	helpers_input_test.go  keyboard, mouse and touch; screen sizes; tabs and devices
//	helpers_guest_test.go  guest, a user without a browser; filling rooms
//	helpers_files_test.go  servers that store files; files to attach; choosing and dragging files
//	helpers_sample_test.go sample, a lobby with a day of conversation
//	helpers_tour_test.go   sample.tour, which checks all states of the pages

// timeout is how long a page may take for anything. It is long because the machine may be busy, and
// because a page waits up to 30 s before it reconnects.
const timeout = time.Minute

// chromium starts the headless browser that tests share.
var chromium = sync.OnceValues(func() (context.Context, error) {
	ctx, closeBrowser, err := startChromium()
	closeChromium = closeBrowser
	return ctx, err
})

// closeChromium closes the browser if a test started it.
var closeChromium = func() {}

// startChromium starts a headless browser.
func startChromium(more ...chromedp.ExecAllocatorOption) (ctx context.Context, closeAll func(), err error) {
	var program string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		return nil, func() {}, fmt.Errorf("Chromium is not on PATH")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.WindowSize(1200, 800),
		chromedp.Flag("disable-features", "Translate,PreloadTopChromeWebUI,PreloadTopChromeWebUILessNavigations,SpareRendererForSitePerProcess,WebUIToolbar,WebUILocationBar,WebUIOmniboxPopup,WebUIOmniboxAimPopup,InitialWebUI,WebUIReloadButton"), // each starts extra processes
	)
	allocator, closeAllocator := chromedp.NewExecAllocator(context.Background(), append(options, more...)...)
	ctx, closeBrowser := chromedp.NewContext(allocator)
	return ctx, func() { closeBrowser(); closeAllocator() }, chromedp.Do(ctx)
}

// user is a user with a browser profile of their own, which shows one page.
type user struct {
	t    *testing.T
	name string
	ctx  context.Context // the page's

	hasWorker bool // see newUserWithWorker

	mu      sync.Mutex
	errors  []string // from the console, including CSP reports
	allowed []string // parts of errors that the test itself causes
}

// newUser opens a browser profile without a service worker. At its end, the test fails if the page's console has errors.
func newUser(t *testing.T, name string) *user {
	t.Helper()
	return openProfile(t, &user{name: name})
}

// newUserWithWorker is like newUser, with a service worker. The worker first caches 60 files, which takes a fifth of the CPU
// time of a short test.
func newUserWithWorker(t *testing.T, name string) *user {
	t.Helper()
	return openProfile(t, &user{name: name, hasWorker: true})
}

func openProfile(t *testing.T, u *user) *user {
	t.Helper()
	parent, err := chromium()
	if err != nil {
		skip(t, err)
	}
	return u.openIn(t, parent, chromedp.WithNewBrowserContext())
}

// newUserWithoutCookies starts a browser that blocks all cookies, and with them all storage.
func newUserWithoutCookies(t *testing.T, name string) *user {
	t.Helper()
	profile := t.TempDir()
	preferences := filepath.Join(profile, "Default", "Preferences")
	if err := errors.Join(
		os.Mkdir(filepath.Dir(preferences), 0o700),
		os.WriteFile(preferences, []byte(`{"profile":{"default_content_setting_values":{"cookies":2}}}`), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	parent, closeBrowser, err := startChromium(chromedp.UserDataDir(profile))
	t.Cleanup(closeBrowser)
	if err != nil {
		skip(t, err)
	}
	return (&user{name: name}).openIn(t, parent)
}

// openIn opens the user's page in a browser.
func (u *user) openIn(t *testing.T, browser context.Context, options ...chromedp.ContextOption) *user {
	t.Helper()
	ctx, closePage := chromedp.NewContext(browser, options...)
	u.t, u.ctx = t, ctx
	if err := chromedp.Listen(ctx, u.recordErrors); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		u.checkErrors()
		closePage()
	})
	u.openPage()
	return u
}

// openPage opens an empty page. It turns off the events about nodes and styles that chromedp has turned on, because no helper
// needs them, and a page with many changes spends much time on them. Therefore, chromedp's queries, such as Click, do not
// work.
func (u *user) openPage() {
	u.t.Helper()
	u.do()
	call(u, css.Disable, cdp.Empty{})
	call(u, dom.Disable, cdp.Empty{})
	if !u.hasWorker {
		call(u, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: "delete Navigator.prototype.serviceWorker"})
	}
}

// skip skips the test because the machine lacks something. If CI is set, it fails the test instead.
func skip(t *testing.T, reason error) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%v; no test may be skipped if CI is set", reason)
	}
	t.Skipf("skipped: %v", reason)
}

func (u *user) recordErrors(event any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch event := event.(type) {
	case *log.EventEntryAdded:
		if event.Entry.Level == log.EntryLevelError || event.Entry.Source == log.EntrySourceSecurity {
			u.errors = append(u.errors, event.Entry.Text+" "+event.Entry.URL)
		}
	case *runtime.EventConsoleAPICalled:
		if event.Type == runtime.ConsoleAPICalledTypeError || event.Type == runtime.ConsoleAPICalledTypeAssert {
			u.errors = append(u.errors, fmt.Sprintf("console: %v %v", event.Args[0].Value, event.Args[0].Description))
		}
	case *runtime.EventExceptionThrown:
		details := event.ExceptionDetails
		if details.Exception != nil && strings.Contains(details.Exception.Description, "no longer runnable") {
			return // Chromium runs the module of a page that the user has just left
		}
		u.errors = append(u.errors, fmt.Sprintf("%s %s:%d %+v", details.Text, details.URL, details.LineNumber, details.Exception))
	}
}

// serverDownErrors are the errors that Chromium logs if the server is down, or dies while responding
// to a request or to a fetch of the service worker's script.
var serverDownErrors = []string{
	"ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_SOCKET_NOT_CONNECTED", "ERR_EMPTY_RESPONSE",
	"An unknown error occurred when fetching the script",
}

// allowErrors allows console errors that contain one of the parts. A test calls it for errors that it
// causes itself, for example by a request while the network is off.
func (u *user) allowErrors(parts ...string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.allowed = append(u.allowed, parts...)
}

func (u *user) checkErrors() {
	u.mu.Lock()
	defer u.mu.Unlock()
errors:
	for _, text := range u.errors {
		for _, part := range u.allowed {
			if strings.Contains(text, part) {
				continue errors
			}
		}
		u.t.Errorf("%s's console: %s", u.name, text)
	}
}

// do runs browser actions.
func (u *user) do(actions ...chromedp.Action[chromedp.Void]) {
	u.t.Helper()
	ctx, cancel := context.WithTimeout(u.ctx, timeout)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		u.t.Fatalf("%s: %v\n%s", u.name, err, u.describePage())
	}
}

// call runs a command of the DevTools protocol that chromedp has no action for.
func call[Params, Result any](u *user, command cdp.Command[Params, Result], params Params) Result {
	u.t.Helper()
	ctx, cancel := context.WithTimeout(u.ctx, timeout)
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		u.t.Fatalf("%s: %s: %v", u.name, command.Method, err)
	}
	return result
}

// eval returns the value of an expression in the page. If that is a promise, eval awaits it.
func eval[T any](u *user, expression string) T {
	u.t.Helper()
	value, err := tryEval[T](u, expression)
	if err != nil {
		u.t.Fatalf("%s: %v in %s", u.name, err, expression)
	}
	return value
}

// tryEval is like eval, but returns the error, because the page may be navigating.
func tryEval[T any](u *user, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(u.ctx, timeout)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// runScript runs statements in the page, which may await.
func (u *user) runScript(statements string) {
	u.t.Helper()
	eval[bool](u, "(async () => { "+statements+"; return true; })()")
}

// describePage returns the page's title, visibility, focus and text, for failure messages.
func (u *user) describePage() string {
	ctx, cancel := context.WithTimeout(u.ctx, time.Second)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](
		"`${document.title}: ${document.visibilityState}, ${document.hasFocus() ? 'with' : 'without'} focus\\n${document.body.innerText}`"))
	return text
}
