//go:build unix

package browser

import "github.com/chromedp/cdproto/emulation"

// device is what a page is looked at with.
type device struct {
	name          string
	width, height int64
	scale         float64
	touch         bool
}

var (
	wide   = device{"wide", 1280, 800, 1, false}
	zoomed = device{"zoomed", 640, 360, 2, false} // a screen of 1280 by 720 at 200 %, WCAG 1.4.4
	phone  = device{"phone", 390, 844, 2, true}
	narrow = device{"narrow", 320, 640, 1, true} // the narrowest of WCAG 1.4.10
	across = device{"across", 844, 200, 2, true} // what its keyboard leaves of a phone held across
)

// looksWith has the person look with a device, in a colour scheme.
func (p *browserPerson) looksWith(with device, scheme string) {
	p.t.Helper()
	command(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: with.width, Height: with.height, DeviceScaleFactor: with.scale, Mobile: with.touch,
	})
	command(p, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: with.touch})
	command(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// runs runs statements in the page.
func (p *browserPerson) runs(statements string) {
	p.t.Helper()
	see[bool](p, "(async () => { "+statements+"; return true; })()")
}
