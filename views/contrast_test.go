package views

import (
	"fmt"
	"math"
	"regexp"
	"testing"
)

// What only an edge or a dot says has 3:1 to its grounds, WCAG 1.4.11. (Text is looked at by axe.)
func TestEdgesAndDotsStandOut(t *testing.T) {
	grounds := map[string][]string{
		"edge": {"paper", "surface"}, "good": {"paper", "surface", "tint"}, "busy": {"surface"},
	}
	for name, behind := range grounds {
		for _, ground := range behind {
			for scheme := range 2 {
				if ratio := contrast(token(t, name)[scheme], token(t, ground)[scheme]); ratio < 3 {
					t.Errorf("--%s on --%s has %.2f:1 in %s", name, ground, ratio, []string{"light", "dark"}[scheme])
				}
			}
		}
	}
}

// token is a colour of base.css, light and dark.
func token(t *testing.T, name string) []string {
	t.Helper()
	found := regexp.MustCompile(`--` + name + `: light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)`).FindSubmatch(embedded("css/base.css"))
	if found == nil {
		t.Fatalf("no --%s", name)
	}
	return []string{string(found[1]), string(found[2])}
}

// contrast is the ratio of WCAG 2.2.
func contrast(one, other string) float64 {
	a, b := luminance(one), luminance(other)
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

func luminance(colour string) float64 {
	var parts [3]int
	fmt.Sscanf(colour, "#%02x%02x%02x", &parts[0], &parts[1], &parts[2])
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		part := float64(parts[i]) / 255
		if part <= 0.04045 {
			part /= 12.92
		} else {
			part = math.Pow((part+0.055)/1.055, 2.4)
		}
		sum += weight * part
	}
	return sum
}
