package views

import (
	"fmt"
	"math"
	"regexp"
	"testing"
)

// WCAG 1.4.11 requires a contrast of 3:1 between the background and any border or dot that
// carries meaning. TestAxeFindsNoViolations checks the contrast of text.
func TestBordersAndDotsHaveContrast(t *testing.T) {
	backgroundsOf := map[string][]string{
		"input-border": {"paper", "surface"}, "good": {"paper", "surface", "tint"}, "busy": {"surface"},
	}
	for name, backgrounds := range backgroundsOf {
		for _, background := range backgrounds {
			for scheme := range 2 {
				if ratio := contrast(color(t, name)[scheme], color(t, background)[scheme]); ratio < 3 {
					t.Errorf("--%s on --%s, %s: got contrast %.2f:1, want at least 3:1", name, background, []string{"light", "dark"}[scheme], ratio)
				}
			}
		}
	}
}

// color returns the light and dark values of a color in base.css.
func color(t *testing.T, name string) []string {
	t.Helper()
	found := regexp.MustCompile(`--` + name + `: light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)`).FindSubmatch(readStatic("css/base.css"))
	if found == nil {
		t.Fatalf("base.css has no --%s", name)
	}
	return []string{string(found[1]), string(found[2])}
}

// contrast returns the contrast ratio of two colors, as WCAG 2.2 defines it.
func contrast(color, otherColor string) float64 {
	a, b := luminance(color), luminance(otherColor)
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

// luminance returns the relative luminance of a color, as WCAG 2.2 defines it.
func luminance(color string) float64 {
	var channels [3]int
	fmt.Sscanf(color, "#%02x%02x%02x", &channels[0], &channels[1], &channels[2])
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		channel := float64(channels[i]) / 255
		if channel <= 0.04045 {
			channel /= 12.92
		} else {
			channel = math.Pow((channel+0.055)/1.055, 2.4)
		}
		sum += weight * channel
	}
	return sum
}
