//go:build unix

package browser

import (
	"image/color"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

var (
	teal   = color.RGBA{R: 11, G: 107, B: 107, A: 255}
	orange = color.RGBA{R: 222, G: 128, B: 32, A: 255}
)

func TestPastedPictureIsSeenOnAnotherServer(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	_, here, there := startWithFiles(t)
	ada, bob := newUser(t, "Ada"), newUser(t, "Bob")
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	for _, permission := range []cdpbrowser.PermissionDescriptor{{Name: "clipboard-read"}, {Name: "clipboard-write"}, {Name: "clipboard-write", AllowWithoutSanitization: true}} {
		if _, err := chromedp.CallBrowser(ada.ctx, cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{
			Permission: &permission, Setting: "granted", Origin: here.URL(), BrowserContextID: chromedp.FromContext(ada.ctx).BrowserContextID,
		}); err != nil {
			t.Fatal(err)
		}
	}
	ada.bringToFront()

	// Text is pasted as text, even if the program that copied it has added a picture of it.
	ada.runScript(`
		const canvas = new OffscreenCanvas(3200, 1800);
		canvas.getContext("2d").fillStyle = "#0b6b6b";
		canvas.getContext("2d").fillRect(0, 0, 3200, 1800);
		globalThis.picture = await canvas.convertToBlob();
		const text = (text, type) => new Blob([text], { type });
		await navigator.clipboard.write([new ClipboardItem({ "text/plain": text("a table", "text/plain"), "text/html": text("<b>a table</b>", "text/html"), "image/png": picture })]);`)
	ada.paste()
	ada.wait("the text", `document.querySelector("#composer textarea").value === "a table"`)
	ada.clearField()

	// A picture is attached, scaled and uploaded.
	ada.runScript(`await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })])`)
	ada.paste()
	ada.waitUploaded(1)
	ada.runScript(`document.querySelector(".attached input").focus()`)
	ada.typeText("A teal wall")
	ada.press("Enter")
	ada.expect("the focused element after Enter in the description", `document.activeElement.name`, "text")
	ada.typeText("look at this")
	ada.press("Enter")
	for _, u := range []*user{ada, bob} {
		u.waitMessages("look at this")
		u.wait("the thumbnail", shownPictures+` === "A teal wall 640x360"`)
	}
	ada.wait("an empty composer", `!document.querySelector(".attached li") && document.querySelector("#composer textarea").required`)

	// Bob opens the picture in full size, and the focus returns.
	bob.click(".picture")
	bob.wait("the viewer", `document.querySelector("#viewer")?.open`)
	bob.wait("the full size", `document.querySelector("#viewer img")?.naturalWidth === 2560`)
	bob.expect("the name and the description", `["h2", "figcaption"].map((part) => document.querySelector("#viewer " + part).textContent).join()`, "Picture,A teal wall")
	bob.press("Escape")
	bob.wait("the focus to return", `!document.querySelector("#viewer").open && document.activeElement.matches(".picture")`)

	// A picture without text, and its deletion.
	ada.choose(`.attach:not(.camera) input`, pictureFile(t, "plan.png", 300, 600, orange))
	ada.waitUploaded(1)
	ada.runScript(`document.querySelector("#composer").requestSubmit()`)
	bob.wait("both pictures", shownPictures+` === "A teal wall 640x360; plan.png plan.png 300x600"`)
	bob.expect("the picture beside its time", `(({ offsetTop }) => offsetTop < 8 ? "" : offsetTop + " pixels below the top of the message")([...document.querySelectorAll("#messages .files")].at(-1))`, "")
	bob.click(".picture")
	bob.wait("the first of two", `document.querySelector("#viewer [role=status]").textContent === "1 of 2"`)
	bob.press("ArrowRight")
	bob.wait("the second one", `document.querySelector("#viewer h2").textContent === "plan.png" && document.querySelector("#viewer img").naturalHeight === 600`)
	ada.runScript(`[...document.querySelectorAll("#messages .picture")].at(-1).focus()`)
	ada.wait("the toolbar", `document.querySelector("#toolbar").checkVisibility()`)
	ada.runScript(`for (let i = 0; i < 2; i++) document.querySelector("#toolbar [name=delete]").click()`)
	bob.waitMessages("This message was deleted.")
	bob.wait("the viewer to close with the deleted picture", `!document.querySelector("#viewer").open && document.querySelectorAll("#messages .picture").length === 1`)
}

// paste presses Ctrl+V and runs the command paste, as a real keyboard does.
func (u *user) paste() {
	u.t.Helper()
	u.runScript(`document.querySelector("#composer textarea").focus()`)
	event := input.DispatchKeyEventParams{Type: "keyDown", Key: "v", Code: "KeyV", WindowsVirtualKeyCode: 86, Modifiers: 2, Commands: []string{"paste"}}
	call(u, input.DispatchKeyEvent, event)
	event.Type, event.Commands = "keyUp", nil
	call(u, input.DispatchKeyEvent, event)
}

func TestFilesAreDroppedOrChosen(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	_, here, there := startWithFiles(t, "FILE_MAX=1MB")
	ada, bob := newUser(t, "Ada"), newUser(t, "Bob")
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	notes, wall := writeFile(t, "notes.txt", []byte("buy milk")), pictureFile(t, "wall.png", 1000, 500, teal)
	const target = `document.querySelector(".drop")?.checkVisibility()`
	ada.drag(false, notes)
	ada.wait("the drop target", `Boolean(`+target+`)`)
	ada.wait("the drop target to disappear", `!(`+target+`)`)
	ada.drag(true, notes, wall)
	ada.waitUploaded(2)
	ada.choose(`.attach:not(.camera) input`, noiseFile(t, "huge.bin", 1<<20+1), writeFile(t, "empty.txt", nil))
	ada.wait("the reasons", `document.querySelector("#toast").textContent === "huge.bin is too large (1.0 MB). Files can be at most 1.0 MB. empty.txt is empty."`)
	ada.choose(`.attach:not(.camera) input`, writeFile(t, "wrong.txt", []byte("not this one")))
	ada.waitUploaded(3)
	ada.click(`[aria-label="Remove wrong.txt"]`)
	ada.wait("two files", `document.querySelectorAll(".attached li").length === 2`)
	ada.expect("the focused element", `document.activeElement.ariaLabel`, "Remove wall.png")

	// The files of a draft survive a reload.
	ada.open(here, "/r/lobby")
	ada.waitUploaded(2)
	ada.runScript(`document.querySelector("#composer").requestSubmit()`)
	bob.wait("the picture", shownPictures+` === "wall.png wall.png 640x320"`)
	bob.expect("the row of the file", `document.querySelector("#messages .file").innerText.replace(/\s+/g, " ")`, "TXT notes.txt 8 bytes")
	bob.expect("the content of the file", `fetch(document.querySelector("#messages .file").href).then((response) => response.text())`, "buy milk")

	// On a phone, the camera is one button away.
	ada.emulate(phone, "light")
	const camera = `document.querySelector(".camera")`
	ada.wait("the camera", camera+`.checkVisibility() && `+camera+`.querySelector("input").matches("[capture][accept='image/*']")`)
	ada.choose(`.camera input`, pictureFile(t, "photo.png", 40, 30, orange))
	ada.waitUploaded(1)
	ada.click("#composer > button")
	bob.wait("the photo", shownPictures+`.endsWith("; photo.png photo.png 40x30")`)
	bob.emulate(phone, "light")
	bob.runScript(`[...document.querySelectorAll("#messages .picture")].at(-1).click()`)
	bob.wait("the viewer", `document.querySelector("#viewer")?.open && document.querySelector("#viewer h2").textContent === "photo.png"`)
	bob.runScript(`document.querySelector("#viewer figcaption").textContent = "words ".repeat(300)`)
	bob.flick(200, 700, 200, 840)
	bob.expect("whether the viewer is open after its description was scrolled", `String(document.querySelector("#viewer").open)`, "true")
	bob.flick(300, 400, 100, 400)
	bob.expect("the picture after swiping beyond the last", `document.querySelector("#viewer h2").textContent`, "photo.png")
	bob.flick(100, 400, 300, 410)
	bob.wait("the previous picture", `document.querySelector("#viewer h2").textContent === "wall.png"`)
	bob.flick(200, 300, 210, 600)
	bob.wait("the viewer to close", `!document.querySelector("#viewer").open`)
}

// flick moves a finger between two points.
func (u *user) flick(x, y, toX, toY float64) {
	u.t.Helper()
	u.touch(input.DispatchTouchEventTypeTouchStart, &input.TouchPoint{X: x, Y: y})
	u.touch(input.DispatchTouchEventTypeTouchMove, &input.TouchPoint{X: toX, Y: toY})
	u.touch(input.DispatchTouchEventTypeTouchEnd)
}

func TestUploadShowsItsProgressAndIsCanceledOrRetried(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis, here, there := startWithFiles(t, "FILES_PER_DAY=21MB")
	ada, bob := newUser(t, "Ada"), newUser(t, "Bob")
	ada.allowErrors(append(serverDownErrors, "507", "503", "413", "429")...)
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	const button = `.attach:not(.camera) input`
	const isRunning = `((bar) => bar?.checkVisibility() && bar.value > 0 && bar.value < 1)`

	// In the composer, the upload is canceled by removing the file.
	ada.attach(writeFile(t, "small.txt", []byte("loads the modules")))
	ada.click(`.attached [name=remove]`)
	big := noiseFile(t, "big.bin", 20<<20)
	here.Pause()
	ada.choose(button, big)
	ada.wait("the progress", isRunning+`(document.querySelector(".attached progress"))`)
	ada.click(`.attached [name=remove]`)
	ada.wait("no file", `!document.querySelector(".attached li")`)

	// In a message, it is canceled by discarding the message. The next message is sent.
	ada.choose(button, big)
	ada.send("with a big file")
	ada.send("and then")
	ada.wait("the progress of the message", isRunning+`(document.querySelector("#messages [data-state=uploading] progress"))`)
	ada.expect("the unsent messages", `[...document.querySelectorAll("#messages [data-state] > .body")].map((body) => body.innerText).join()`, "with a big file,and then")
	ada.waitAnimations() // the button appears after a moment
	ada.click(`#messages [data-state=uploading] [name=discard]`)
	ada.wait("the message to disappear", `!document.querySelector("#messages [data-state=uploading]")`)
	here.Resume()
	bob.waitMessages("and then")
	ada.waitUpToDate()

	// An upload that exceeds the quota can be retried.
	ada.choose(button, noiseFile(t, "too much.bin", 24<<20))
	ada.wait("the reason", `document.querySelector(".attached [data-failed] .state")?.textContent.length > 12`)
	here.Env = append(here.Env, "FILES_PER_DAY=200MB")
	here.Restart()
	ada.waitUpToDate()
	ada.click(`.attached [name=retry]`)
	ada.waitUploaded(1)
	ada.runScript(`document.querySelector("#composer").requestSubmit()`)
	bob.wait("the file", `document.querySelector("#messages .file")?.title === "too much.bin"`)
	apptest.ExpectStoredOnce(t, redis, "lobby", 2)
}

func TestFilesAreShownWithoutScript(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	_, here, _ := startWithFiles(t)
	postFiles(t, here, here.SignIn("Bob"), "lobby", "look", pictureFile(t, "wall.png", 1000, 500, teal), writeFile(t, "notes.txt", []byte("buy milk")))
	ada := newUser(t, "Ada")
	ada.allowErrors("Applying inline style violates") // from the page in which Chromium shows a picture, under the Content-Security-Policy of files
	ada.setToken(here, here.SignIn("Ada"))
	call(ada, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	ada.open(here, "/r/lobby")
	ada.wait("the picture", shownPictures+` === "what 0 shows 640x320"`)
	ada.expect("the color of the placeholder", `getComputedStyle(document.querySelector(".picture svg")).backgroundColor`, "rgb(11, 107, 107)")
	ada.expect("the row of the file", `document.querySelector("#messages .file").innerText.replace(/\s+/g, " ")`, "TXT notes.txt 8 bytes")
	ada.expect("the number of buttons to attach files", `[...document.querySelectorAll(".attach")].filter((one) => one.checkVisibility()).length + ""`, "0")
	ada.click(".picture")
	ada.wait("the picture in full size", `document.images[0]?.naturalWidth === 1000`)
}
