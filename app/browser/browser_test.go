//go:build unix

package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"burble/app/apptest"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	cdpnetwork "github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browserPatience is how long a page may take for what it should do at once: the
// machine may be busy with a race detector. And longer than a page waits before it
// looks for its server again.
const browserPatience = time.Minute

// chromium is one headless browser for all tests of a process.
var chromium = sync.OnceValues(func() (context.Context, error) {
	var program string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		return nil, fmt.Errorf("no chromium on PATH")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.WindowSize(1200, 800),
		chromedp.Flag("disable-features", "Translate,PreloadTopChromeWebUI,PreloadTopChromeWebUILessNavigations"), // Each costs a process.
	)
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, endBrowser := chromedp.NewContext(allocator)
	endChromium = func() { endBrowser(); endAllocator() }
	return ctx, chromedp.Do(ctx)
})

// endChromium ends the browser, if it was started.
var endChromium = func() {}

// browserPerson is somebody with a browser profile of their own, looking at one page.
type browserPerson struct {
	t    *testing.T
	name string
	ctx  context.Context

	mu         sync.Mutex
	complaints []string // of the console: errors, and reports of the CSP
	forgiven   []string // parts of complaints that the test causes itself
}

// newBrowserPerson opens a browser profile. Complaints of its console fail the test at its end.
func newBrowserPerson(t *testing.T, name string) *browserPerson {
	t.Helper()
	parent, err := chromium()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%v, and CI must not skip", err)
		}
		t.Skipf("skipped: %v", err)
	}
	ctx, end := chromedp.NewContext(parent, chromedp.WithNewBrowserContext())
	p := &browserPerson{t: t, name: name, ctx: ctx}
	if err := chromedp.Listen(ctx, p.listen); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.expectNoComplaints()
		end()
	})
	return p
}

func (p *browserPerson) listen(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch event := event.(type) {
	case *log.EventEntryAdded:
		if event.Entry.Level == log.EntryLevelError || event.Entry.Source == log.EntrySourceSecurity {
			p.complaints = append(p.complaints, event.Entry.Text+" "+event.Entry.URL)
		}
	case *runtime.EventConsoleAPICalled:
		if event.Type == runtime.ConsoleAPICalledTypeError || event.Type == runtime.ConsoleAPICalledTypeAssert {
			p.complaints = append(p.complaints, fmt.Sprintf("console: %v %v", event.Args[0].Value, event.Args[0].Description))
		}
	case *runtime.EventExceptionThrown:
		details := event.ExceptionDetails
		p.complaints = append(p.complaints, fmt.Sprintf("%s %s:%d %+v", details.Text, details.URL, details.LineNumber, details.Exception))
	}
}

// serverGone are what Chromium says when a server is not there, or goes in the middle of
// an answer, of requests and of the service worker's script.
var serverGone = []string{
	"ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "An unknown error occurred when fetching the script",
}

// forgive lets complaints pass that the test itself causes: a request while the
// network is switched off, say.
func (p *browserPerson) forgive(parts ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forgiven = append(p.forgiven, parts...)
}

func (p *browserPerson) expectNoComplaints() {
	p.mu.Lock()
	defer p.mu.Unlock()
complaints:
	for _, complaint := range p.complaints {
		for _, part := range p.forgiven {
			if strings.Contains(complaint, part) {
				continue complaints
			}
		}
		p.t.Errorf("%s's console: %s", p.name, complaint)
	}
}

// do does browser actions within the patience of a person.
func (p *browserPerson) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, browserPatience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatalf("%s: %v\n%s", p.name, err, p.page())
	}
}

// command has the browser do what no action of chromedp is for.
func command[Params, Result any](p *browserPerson, what cdp.Command[Params, Result], params Params) Result {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, browserPatience)
	defer cancel()
	result, err := chromedp.Call(ctx, what, params)
	if err != nil {
		p.t.Fatalf("%s: %s: %v", p.name, what.Method, err)
	}
	return result
}

// see is the value of an expression in the page.
func see[T any](p *browserPerson, expression string) T {
	p.t.Helper()
	value, err := look[T](p, expression)
	if err != nil {
		p.t.Fatalf("%s: %v in %s", p.name, err, expression)
	}
	return value
}

// look is see, and may fail.
func look[T any](p *browserPerson, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(p.ctx, browserPatience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// isLeaving says whether a look failed because the page was just left for another.
func isLeaving(err error) bool {
	return slices.ContainsFunc([]string{
		"Inspected target navigated or closed", "Cannot find default execution context", "Promise was collected",
	}, func(said string) bool { return err != nil && strings.Contains(err.Error(), said) })
}

// page is the text of the page and how it is looked at, for a failure's message.
func (p *browserPerson) page() string {
	ctx, cancel := context.WithTimeout(p.ctx, time.Second)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](
		"`${document.title}: ${document.visibilityState}, ${document.hasFocus() ? 'with' : 'without'} focus\\n${document.body.innerText}`"))
	return text
}

// join opens a room and gives the person's name there.
func (p *browserPerson) join(server *apptest.Server, room string) {
	p.t.Helper()
	p.open(server, "/r/"+room)
	p.do(chromedp.SendKeys(chromedp.CSS(`form[action="/session"] input[name=name]`), p.name))
	p.press("Enter")
	p.do(chromedp.WaitVisible(chromedp.CSS(`#composer textarea`)))
	p.upToDate()
}

func (p *browserPerson) open(server *apptest.Server, path string) {
	p.t.Helper()
	p.do(chromedp.Navigate(server.URL() + path))
}

// write writes a message into the composer and sends it.
func (p *browserPerson) write(text string) {
	p.t.Helper()
	p.do(chromedp.Focus(chromedp.CSS(`#composer textarea`)))
	p.types(text)
	p.press("Enter")
}

// wait waits until the expression, or what it promises, is true in the page. (It asks from outside: the
// page's policy lets nothing be evaluated inside.)
func (p *browserPerson) wait(what, expression string) {
	p.t.Helper()
	deadline := time.After(browserPatience)
	for {
		so, err := look[bool](p, "Promise.resolve("+expression+").then(Boolean)")
		if err != nil && !isLeaving(err) {
			p.t.Fatalf("%s: %v in %s", p.name, err, expression)
		}
		if so {
			return
		}
		select {
		case <-deadline:
			p.t.Fatalf("%s waited in vain for %s:\n%s", p.name, what, p.page())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// upToDate waits until the page says so.
func (p *browserPerson) upToDate() {
	p.t.Helper()
	p.wait("being up to date", `document.querySelector("#truth").dataset.state === "live"`)
}

// shown are the messages on the page, "ID text" each, "waiting text" those unsent.
func (p *browserPerson) shown() []string {
	p.t.Helper()
	return see[[]string](p, `[...document.querySelectorAll("#messages .message")].map(
		(m) => (m.id.slice(1) || "waiting") + " " + m.querySelector(".body").innerText.trim())`)
}

// shows waits until the page shows the text, stored.
func (p *browserPerson) shows(texts ...string) {
	p.t.Helper()
	for _, text := range texts {
		p.wait(fmt.Sprintf("%q", text), fmt.Sprintf(
			`[...document.querySelectorAll("#messages .message[id]")].some((m) => m.querySelector(".body")?.innerText.trim() === %q)`, text))
	}
}

// offline switches the browser's own network off or on.
func (p *browserPerson) offline(off bool) {
	p.t.Helper()
	command(p, cdpnetwork.OverrideNetworkState, cdpnetwork.OverrideNetworkStateParams{
		Offline: off, DownloadThroughput: -1, UploadThroughput: -1,
	})
}
