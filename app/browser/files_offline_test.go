//go:build unix

package browser

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// storedFiles is a JavaScript expression for the number of files whose bytes are on this device.
const storedFiles = `new Promise((done) => (indexedDB.open("burble-files").onsuccess = ({ target: { result } }) =>
	(result.objectStoreNames.length ? result.transaction("files").objectStore("files").count().onsuccess = ({ target }) => done(target.result) : done(0))))`

func TestFilesWaitOfflineAndAreSentOnce(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis, here, there := startWithFiles(t)
	ada, bob := newUserWithWorker(t, "Ada"), newUserWithWorker(t, "Bob")
	ada.allowErrors(serverDownErrors...)
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	ada.send("before the tunnel")
	ada.waitMessages("before the tunnel")
	ada.waitCached("before the tunnel")
	ada.wait("the service worker", `navigator.serviceWorker.controller !== null`)
	token := ada.token()
	here.Kill()
	ada.waitStatus("connecting", "Connecting…")
	ada.send("one")
	ada.choose(`.attach:not(.camera) input`, pictureFile(t, "wall.png", 1000, 500, teal), writeFile(t, "notes.txt", []byte("buy milk")))
	ada.wait("the files", `document.querySelectorAll(".attached li").length === 2`)
	ada.send("two")
	ada.send("three")
	const unsent = `[...document.querySelectorAll("#messages [data-state] > .body")].map((body) => body.innerText).join()`
	const localPicture = `document.querySelector("#messages [data-state=uploading] .picture img")?.naturalWidth === 1000`
	ada.wait("the waiting messages", unsent+` === "one,two,three"`)
	ada.wait("the picture on this device", localPicture)
	ada.waitStatus("connecting", "Connecting, 3 unsent")
	ada.do(chromedp.Reload())
	ada.wait("the waiting messages after a reload", unsent+` === "one,two,three"`)
	ada.wait("the picture on this device", localPicture)

	// Another user of this browser neither sees nor sends the files.
	ada.do(chromedp.Navigate("about:blank"))
	here.Start()
	here.AwaitReady()
	ada.setToken(here, "")
	eve := ada
	eve.name = "Eve"
	eve.join(here, "lobby")
	eve.send("from Eve")
	eve.waitMessages("from Eve")
	eve.waitUpToDate()
	eve.expect("the unsent messages", unsent, "")
	apptest.ExpectStoredOnce(t, redis, "lobby", 2)
	ada.do(chromedp.Navigate("about:blank"))
	ada.setToken(here, token)
	ada.name = "Ada"
	ada.open(here, "/r/lobby")
	for _, u := range []*user{ada, bob} {
		u.waitMessages("one", "two", "three")
		u.wait("the picture", shownPictures+` === "wall.png wall.png 640x320"`)
	}
	ada.waitUpToDate()
	expectMatchesServer(t, there, "lobby", ada, bob)
	apptest.ExpectStoredOnce(t, redis, "lobby", 5)
	ada.wait("the bytes to be deleted", storedFiles+`.then((count) => count === 0)`)

	// Without a network, a message with pictures comes from the cache. A picture that cannot be loaded shows its description.
	ada.waitCached("", "", "one", "two", "three") // of a message that the server rendered, only the HTML is kept
	ada.open(here, "/r/lobby")
	ada.waitUpToDate()
	ada.waitCached("", "", "", "", "")
	here.Kill()
	ada.open(here, "/r/lobby")
	ada.waitMessages("three")
	ada.wait("the placeholder of the picture", `(({ title, firstElementChild: { nextSibling: img } }) => title === "wall.png" && img.alt === "wall.png" && img.offsetWidth === 384 && img.offsetHeight === 192)(document.querySelector("#messages .picture"))`)
	ada.expect("the row of the file", `document.querySelector("#messages .file").innerText.replace(/\s+/g, " ")`, "TXT notes.txt 8 bytes")
}

// A device that cannot store the bytes keeps them in memory, and shows a warning.
func TestFilesThatCannotBeStoredAreKeptInMemory(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	_, here, there := startWithFiles(t)
	ada, bob := newUserWithWorker(t, "Ada"), newUserWithWorker(t, "Bob")
	ada.allowErrors(serverDownErrors...)
	bob.join(there, "lobby")
	call(ada, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `IDBFactory.prototype.open = () => { throw new DOMException("full", "QuotaExceededError") }`})
	ada.join(here, "lobby")
	ada.attach(writeFile(t, "small.txt", []byte("loads the modules")))
	ada.wait("the warning", `document.querySelector("#toast").textContent.startsWith("This browser can’t store files right now.")`)
	ada.click(`.attached [name=remove]`)
	const warns = `String(!dispatchEvent(new Event("beforeunload", { cancelable: true })))`
	ada.wait("no file in memory", warns+` === "false"`)
	here.Kill()
	ada.choose(`.attach:not(.camera) input`, pictureFile(t, "wall.png", 100, 50, teal))
	ada.wait("the file", `document.querySelector(".attached li")`)
	ada.send("keep this")
	ada.waitStatus("connecting", "Connecting, 1 unsent")
	ada.wait("the browser to ask before it closes the page", warns+` === "true"`)
	here.Start()
	here.AwaitReady()
	bob.wait("the picture", shownPictures+` === "wall.png wall.png 100x50"`)
	ada.waitUpToDate()
	ada.wait("the browser not to ask any more", warns+` === "false"`)
}

// layoutShifts is a script that collects the layout shifts of a page, with the nodes that moved. See expectShifts.
const layoutShifts = `globalThis.shifts = [];
	new PerformanceObserver((list) => {
		for (const { value, sources } of list.getEntries()) {
			const moved = sources.map(({ node, previousRect, currentRect }) =>
				[(node?.outerHTML ?? node?.textContent ?? "").slice(0, 200), JSON.stringify(previousRect), JSON.stringify(currentRect)].join(" "));
			shifts.push({ value, moved });
		}
	}).observe({ type: "layout-shift", buffered: true });`

// expectShifts checks the sum of the layout shifts since the page was opened, or since the last call.
func (u *user) expectShifts(most float64) {
	u.t.Helper()
	shifts, sum := eval[[]struct {
		Value float64
		Moved []string
	}](u, `shifts.splice(0)`), 0.0
	for _, shift := range shifts {
		sum += shift.Value
	}
	if sum > most {
		u.t.Errorf("the layout shifted by %v, want at most %v: %+v", sum, most, shifts)
	}
}

func TestFiftyPicturesLoadLazilyAndMoveNothing(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	_, here, _ := startWithFiles(t, "RATE_MESSAGES=1000", "RATE_ADDRESS=10000")
	bob := here.SignIn("Bob")
	var paths []string
	for n := range 10 {
		paths = append(paths, pictureFile(t, fmt.Sprintf("picture %d.png", n), 350+50*(n%3), 450-50*(n%4), teal))
	}
	for range 2 {
		for n, path := range paths[:5] {
			postFiles(t, here, bob, "lobby", fmt.Sprintf("picture %d", n), path)
		}
		for range 2 {
			postFiles(t, here, bob, "lobby", "an album", paths...)
		}
	}
	ada := newUserWithWorker(t, "Ada")
	ada.join(here, "tea")
	call(ada, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: layoutShifts})
	ada.open(here, "/r/lobby")
	ada.waitUpToDate()
	const pictures = `[...document.querySelectorAll("#messages .picture img")]`
	const heights = `[...document.querySelectorAll("#messages article")].map((article) => article.getBoundingClientRect().height)`
	ada.expect("the number of pictures", pictures+`.length + ""`, "50")
	ada.wait("the pictures in view", pictures+`.at(-1)?.complete && `+pictures+`.at(-1).naturalWidth`)
	before := eval[[]float64](ada, heights)
	ada.expectShifts(0.02) // on a busy machine, Chromium shows parts of the page while it reads the HTML, and then shifts by 0.008
	if loaded := eval[int](ada, pictures+`.filter((img) => img.naturalWidth).length`); loaded > 40 {
		t.Errorf("%d of 50 pictures were loaded although few are in view, want at most 40", loaded)
	}
	ada.runScript(`for (const img of ` + pictures + `) img.loading = "eager"`)
	ada.wait("all pictures", pictures+`.every((img) => img.complete && img.naturalWidth)`)
	after := eval[[]float64](ada, heights)
	isSame := func(one, other float64) bool { return math.Abs(one-other) < 1 } // pixel
	if !slices.EqualFunc(before, after, isSame) {
		t.Errorf("the heights of the messages were %v before their pictures loaded, and are %v now, want no change", before, after)
	}
	ada.expectShifts(0.001)
}

// If a live message is the first on the page to have files, the page loads the styles of files before it shows the message.
func TestFirstPictureOfAPageMovesNothing(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	_, here, there := startWithFiles(t)
	ada := newUserWithWorker(t, "Ada")
	ada.join(here, "tea")
	call(ada, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: layoutShifts})
	ada.open(here, "/r/lobby")
	ada.waitUpToDate()
	bob := there.SignIn("Bob")
	postFiles(t, there, bob, "lobby", "look", pictureFile(t, "wall.png", 1000, 500, teal))
	ada.wait("the picture", shownPictures+` === "what 0 shows 640x320"`)
	ada.expect("its size", `[...document.querySelectorAll(".picture")].map(({ offsetWidth, offsetHeight }) => offsetWidth + "x" + offsetHeight).join()`, "384x192")
	if got := eval[string](ada, `[...document.querySelectorAll("link[rel=stylesheet]")].map(({ href }) => href.split("/").pop()).join()`); !strings.HasSuffix(got, "files.css") {
		t.Errorf("the stylesheets are %s, want files.css", got)
	}
}

func TestAxeFindsNoViolationsInFiles(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	source, err := axeSource()
	if err != nil {
		skip(t, err)
	}
	_, here, _ := startWithFiles(t)
	bob := here.SignIn("Bob")
	wall, plan, notes := pictureFile(t, "wall.png", 1000, 500, teal), pictureFile(t, "plan.png", 300, 600, orange), writeFile(t, "notes.txt", []byte("buy milk"))
	postFiles(t, here, bob, "lobby", "look", wall)
	postFiles(t, here, bob, "lobby", "", wall, plan, notes)
	ada := newUserWithWorker(t, "Ada")
	ada.join(here, "lobby")
	ada.attach(wall, plan, notes)
	check := func(state string) {
		t.Helper()
		for _, screen := range []device{wide, narrow} {
			for _, scheme := range []string{"light", "dark"} {
				ada.emulate(screen, scheme)
				ada.waitAnimations()
				for _, violation := range ada.axe(source, `rules: { "target-size": { enabled: true } }`) {
					t.Errorf("%s, %s, %s: %s", state, screen.name, scheme, violation)
				}
				if wider := eval[int](ada, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wider > 0 {
					t.Errorf("%s, %s: the page is %d pixels wider than the screen", state, screen.name, wider)
				}
			}
		}
	}
	check("files in messages and in the composer")
	call(ada, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "forced-colors", Value: "active"}}})
	ada.expect("the border styles in forced colors", `["#messages .file", "#messages .picture", ".attached li", ".attached button"].map((one) => getComputedStyle(document.querySelector(one)).borderInlineStartStyle).join()`, "solid,solid,solid,solid")
	ada.runScript(`document.querySelector("#messages .picture").click()`)
	ada.wait("the viewer", `document.querySelector("#viewer")?.open`)
	check("the viewer")
}
