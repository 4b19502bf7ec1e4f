//go:build unix

package browser

import (
	"testing"

	"burble/streams/redistest"
)

// Every page must fit the narrowest screen. At 200%, all permanent controls must be in view and not
// covered.
func TestPagesFitNarrowAndZoomedScreens(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	newSample(t).tour(zoomed, narrow, func(u *user, state string, screens ...device) {
		for _, screen := range screens {
			u.emulate(screen, "light")
			u.waitAnimations()
			for _, misfit := range eval[[]string](u, findMisfits) {
				t.Errorf("%s, %s: %s", state, screen.name, misfit)
			}
		}
	})
}

func TestMessagesGetHalfOfALandscapePhone(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	s := newSample(t)
	s.ada.open(s.Server, "/r/lobby")
	s.ada.waitUpToDate()
	s.ada.emulate(landscape, "light")
	s.ada.waitAnimations()
	for _, misfit := range eval[[]string](s.ada, findMisfits) {
		t.Error(misfit)
	}
	if height := eval[int64](s.ada, `document.querySelector("#scroller").clientHeight`); 2*height < landscape.height {
		t.Errorf("messages get %d of %d pixels, want at least half", height, landscape.height)
	}
}

// findMisfits is a script that returns the elements that do not fit the screen.
const findMisfits = `(() => {
	const found = [];
	const report = (one, why) => found.push(one.outerHTML.slice(0, 120).replaceAll(/\s+/g, " ") + " " + why);
	const page = document.scrollingElement;
	const width = page.clientWidth; // unlike innerWidth, it does not grow to fit elements that are too wide
	if (page.scrollWidth > width) report(page, "scrolls sideways");
	const visible = (selector) => [...document.querySelectorAll(selector)].filter((one) =>
		one.checkVisibility({ visibilityProperty: true }) && !one.closest(".visually-hidden"));
	for (const one of visible("a, button, input, textarea, summary, h1, h2, .body, .delivery, .gap, .edge, .notice")) {
		const { left, right } = one.getBoundingClientRect();
		if (left < -1 || right > width + 1) report(one, "extends from " + left + " to " + right);
	}
	const open = visible("dialog, [popover], #toolbar");
	for (const one of open) {
		const { top, left, right, bottom } = one.getBoundingClientRect();
		if (top < 0 || left < 0 || right > width || bottom > innerHeight) report(one, "is cut off");
		if (one.scrollWidth > one.clientWidth) report(one, "scrolls sideways");
	}
	if (document.body.matches(".room") && !open.length) {
		for (const one of visible("h1, #status, .bar button, .composer :is(textarea, input:not([type=file]), .attach, button)")) {
			const { x, y, width, height } = one.getBoundingClientRect();
			const at = document.elementFromPoint(x + width / 2, y + height / 2);
			if (!at || !one.contains(at) && !at.contains(one)) report(one, "is out of view or covered");
		}
	}
	return found;
})()`
