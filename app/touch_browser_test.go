//go:build unix

package main_test

import (
	"testing"

	"burble/streams/redistest"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
)

func TestAFingerHoldsAMessageAndTheButtonSends(t *testing.T) {
	t.Parallel()
	server := burble(t, redistest.Start(t))
	ada := newBrowserPerson(t, "Ada")
	ada.looksWith(phone, "light")
	ada.join(server, "lobby")
	ada.click("#composer textarea")
	ada.types("one")
	ada.press("Enter")
	ada.types("two")
	ada.expect("what is written", `document.querySelector("#composer textarea").value`, "one\ntwo")
	ada.click("#composer > button")
	ada.shows("one\ntwo")

	ada.rests()
	at := see[[]float64](ada, `(({ x, y, width, height }) => [x + width / 2, y + height / 2])(document.querySelector("#messages .body").getBoundingClientRect())`)
	command(ada, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: "touchStart", TouchPoints: []*input.TouchPoint{{X: at[0], Y: at[1]}}})
	ada.wait("the toolbar", `document.querySelector("#toolbar").checkVisibility()`)
	command(ada, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: "touchEnd", TouchPoints: []*input.TouchPoint{}})
	ada.click(`#toolbar [data-emoji="🎉"]`)
	ada.wait("the reaction", `document.querySelector("#messages .chip")?.textContent === "🎉 1"`)
}

func TestNothingMovesForThoseWhoAskedForThat(t *testing.T) {
	t.Parallel()
	server := burble(t, redistest.Start(t))
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "lobby")
	ada.write("hello")
	ada.shows("hello")
	// The jump button rises, and the dot of the truth line breathes.
	const moves = `(() => {
		document.querySelector("#jump").hidden = false;
		document.querySelector("#truth").dataset.state = "catching";
		return document.getAnimations().filter((one) => one.effect.getComputedTiming().duration > 1).length;
	})()`
	if still := see[int](ada, moves); still < 1 {
		t.Errorf("%d things move for everybody else", still)
	}
	command(ada, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	if still := see[int](ada, moves); still > 0 {
		t.Errorf("%d things move", still)
	}
}
