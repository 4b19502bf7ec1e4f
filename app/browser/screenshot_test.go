//go:build unix

package browser

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
)

var screenshots = flag.String("screenshots", "", "the folder that TestScreenshots fills")

// TestScreenshots makes pictures of everything, to be looked at:
//
//	go test ./app/browser -run Screenshots -screenshots /tmp/burble
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("skipped: makes pictures to look at, with -screenshots FOLDER")
	}
	if err := os.MkdirAll(*screenshots, 0o755); err != nil {
		t.Fatal(err)
	}
	s := newScene(t)
	late := (time.Now().UTC().Hour() + 24 - 11) % 24 // Where it is eleven in the morning, the talk has a yesterday.
	if late > 12 {
		late -= 24
	}
	command(s.ada, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: fmt.Sprintf("Etc/GMT%+d", late)})
	s.visit(wide, phone, func(p *browserPerson, name string, devices ...device) {
		for _, with := range devices {
			for _, scheme := range []string{"light", "dark"} {
				p.looksWith(with, scheme)
				p.shoot(filepath.Join(*screenshots, fmt.Sprintf("%s-%s-%s.png", name, with.name, scheme)))
			}
		}
	})
}

// shoot photographs what the person sees.
func (p *browserPerson) shoot(file string) {
	p.t.Helper()
	p.rests()
	shot := command(p, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng})
	if err := os.WriteFile(file, shot.Data, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// rests waits until nothing in the page moves, but for what never ends.
func (p *browserPerson) rests() {
	p.t.Helper()
	p.runs(`await Promise.all(document.getAnimations().filter((one) => Number.isFinite(one.effect.getComputedTiming().endTime)).map((one) => one.finished.catch(() => {})));
		await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`)
}
