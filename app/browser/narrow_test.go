//go:build unix

package browser

import "testing"

// Nothing is wider than the narrowest screen, and at 200 % everything that is needed
// all the time is there, and nothing lies over it.
func TestEverythingFitsANarrowScreenAndAZoomedOne(t *testing.T) {
	t.Parallel()
	newScene(t).visit(zoomed, narrow, func(p *browserPerson, what string, devices ...device) {
		for _, with := range devices {
			p.looksWith(with, "light")
			p.rests()
			for _, found := range see[[]string](p, misfits) {
				t.Errorf("%s, %s: %s", what, with.name, found)
			}
		}
	})
}

func TestMostOfAPhoneHeldAcrossIsForMessages(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.ada.open(s.Server, "/r/lobby")
	s.ada.upToDate()
	s.ada.looksWith(across, "light")
	s.ada.rests()
	for _, found := range see[[]string](s.ada, misfits) {
		t.Error(found)
	}
	if height := see[int64](s.ada, `document.querySelector("#scroller").clientHeight`); 2*height < across.height {
		t.Errorf("messages have %d pixels of %d", height, across.height)
	}
}

const misfits = `(() => {
	const found = [];
	const tell = (one, why) => found.push(one.outerHTML.slice(0, 120).replaceAll(/\s+/g, " ") + " " + why);
	const page = document.scrollingElement;
	if (page.scrollWidth > innerWidth) tell(page, "scrolls sideways");
	const visible = (selector) => [...document.querySelectorAll(selector)].filter((one) =>
		one.checkVisibility({ visibilityProperty: true }) && !one.closest(".hidden"));
	for (const one of visible("a, button, input, textarea, summary, h1, h2, .body, .fate, .gap, .edge, .notice")) {
		const { left, right } = one.getBoundingClientRect();
		if (left < -1 || right > innerWidth + 1) tell(one, "reaches from " + left + " to " + right);
	}
	const open = visible("dialog, [popover], #toolbar");
	for (const one of open) {
		const { top, left, right, bottom } = one.getBoundingClientRect();
		if (top < 0 || left < 0 || right > innerWidth || bottom > innerHeight) tell(one, "is cut off");
		if (one.scrollWidth > one.clientWidth) tell(one, "scrolls sideways");
	}
	if (document.body.matches(".room") && !open.length) {
		for (const one of visible("h1, #truth, .bar button, .composer :is(textarea, input, button)")) {
			const { x, y, width, height } = one.getBoundingClientRect();
			const at = document.elementFromPoint(x + width / 2, y + height / 2);
			if (!at || !one.contains(at) && !at.contains(one)) tell(one, "is not in view, or something lies over it");
		}
	}
	return found;
})()`
