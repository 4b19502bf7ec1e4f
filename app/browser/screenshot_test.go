//go:build unix

package browser

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
)

var screenshots = flag.String("screenshots", "", "the folder to which TestScreenshots writes")

// TestScreenshots takes a screenshot of each state of the pages:
//
//	go test ./app/browser -run Screenshots -screenshots /tmp/burble
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("skipped: run with -screenshots FOLDER to take screenshots")
	}
	if err := os.MkdirAll(*screenshots, 0o755); err != nil {
		t.Fatal(err)
	}
	s := newSample(t)
	zone := (time.Now().UTC().Hour() + 24 - 11) % 24 // where it is 11 a.m., so that the conversation began yesterday
	if zone > 12 {
		zone -= 24
	}
	call(s.ada, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: fmt.Sprintf("Etc/GMT%+d", zone)})
	s.tour(wide, phone, func(u *user, state string, screens ...device) {
		for _, screen := range screens {
			for _, scheme := range []string{"light", "dark"} {
				u.emulate(screen, scheme)
				u.screenshot(filepath.Join(*screenshots, fmt.Sprintf("%s-%s-%s.png", strings.ReplaceAll(state, " ", "-"), screen.name, scheme)))
			}
		}
	})
}

// screenshot writes a screenshot of the page to a file.
func (u *user) screenshot(file string) {
	u.t.Helper()
	u.waitAnimations()
	shot := call(u, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng})
	if err := os.WriteFile(file, shot.Data, 0o644); err != nil {
		u.t.Fatal(err)
	}
}
