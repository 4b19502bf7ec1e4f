//go:build linux

package report

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
)

// The chart has two panels side by side. Sizes are in pixels.
const (
	panelWidth   = 300
	panelHeight  = 200
	panelLeft    = 50 // of the first panel
	panelTop     = 30
	panelSpacing = 370
)

// colors have enough contrast on white and on black.
var colors = []string{"#2f81f7", "#d1621f", "#2da44e", "#a371f7", "#9a8700"}

const chartHead = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 290" font-family="sans-serif" font-size="11">
<style>text{fill:#333}.grid{stroke:#8884}@media(prefers-color-scheme:dark){text{fill:#ccc}}</style>
`

// WriteChart writes an SVG that plots CPU per delivery and p99 against the message rate, with a
// line for each target.
func WriteChart(path string, plans []*Plan) error {
	var names []string
	for _, p := range plans {
		if !slices.Contains(names, p.Target) {
			names = append(names, p.Target)
		}
	}
	var svg strings.Builder
	svg.WriteString(chartHead)
	panel{"CPU seconds per million deliveries", panelLeft, ServerCPU}.draw(&svg, plans, names)
	panel{"p99, ms", panelLeft + panelSpacing, P99}.draw(&svg, plans, names)
	for i, name := range names {
		x := panelLeft + i*100
		fmt.Fprintf(&svg, "<circle cx=\"%d\" cy=\"276\" r=\"4\" fill=\"%s\"/><text x=\"%d\" y=\"280\">%s</text>\n",
			x, colors[i%len(colors)], x+8, name)
	}
	svg.WriteString("</svg>\n")
	return os.WriteFile(path, []byte(svg.String()), 0o644)
}

// panel is one diagram. Both axes are logarithmic.
type panel struct {
	title  string
	left   int
	number func(*Result) float64
}

func (p panel) draw(svg *strings.Builder, plans []*Plan, names []string) {
	x, y := newAxis(panelWidth), newAxis(-panelHeight)
	for _, pl := range plans {
		x.include(float64(pl.Work.Rate))
		y.include(median(pl.Results, p.number))
	}
	x.start, y.start = float64(p.left), panelTop+panelHeight
	fmt.Fprintf(svg, "<text x=\"%d\" y=\"16\" font-weight=\"bold\">%s</text>\n", p.left, p.title)
	p.drawGrid(svg, x, y)
	for i, name := range names {
		var points []string
		for _, pl := range plans {
			if pl.Target == name {
				points = append(points, fmt.Sprintf("%.1f,%.1f", x.at(float64(pl.Work.Rate)), y.at(median(pl.Results, p.number))))
			}
		}
		color := colors[i%len(colors)]
		fmt.Fprintf(svg, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"%s\"/>\n", color, strings.Join(points, " "))
		for _, point := range points {
			cx, cy, _ := strings.Cut(point, ",")
			fmt.Fprintf(svg, "<circle cx=\"%s\" cy=\"%s\" r=\"3\" fill=\"%s\"/>\n", cx, cy, color)
		}
	}
}

// drawGrid draws a line and a label for each power of ten, and the caption of the x axis.
func (p panel) drawGrid(svg *strings.Builder, x, y *axis) {
	for _, tick := range y.ticks() {
		fmt.Fprintf(svg, "<path class=\"grid\" d=\"M%d %.1fh%d\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
			p.left, y.at(tick), panelWidth, p.left-6, y.at(tick)+4, tick)
	}
	for _, tick := range x.ticks() {
		fmt.Fprintf(svg, "<path class=\"grid\" d=\"M%.1f %dv%d\"/><text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n",
			x.at(tick), panelTop, panelHeight, x.at(tick), panelTop+panelHeight+16, tick)
	}
	fmt.Fprintf(svg, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">messages per second</text>\n", p.left+panelWidth, panelTop+panelHeight+30)
}

// axis is a logarithmic axis between two powers of ten.
type axis struct {
	start, length float64
	low, high     float64 // exponents
}

func newAxis(length float64) *axis {
	return &axis{length: length, low: math.Inf(1), high: math.Inf(-1)}
}

// minValue replaces smaller values, because a logarithmic axis cannot show zero.
const minValue = 0.01

// include extends the axis to a value.
func (a *axis) include(value float64) {
	exponent := math.Log10(max(value, minValue))
	a.low, a.high = min(a.low, math.Floor(exponent)), max(a.high, math.Ceil(exponent))
	if a.low == a.high {
		a.high++
	}
}

// at returns the coordinate of a value.
func (a *axis) at(value float64) float64 {
	return a.start + (math.Log10(max(value, minValue))-a.low)/(a.high-a.low)*a.length
}

// ticks returns the powers of ten.
func (a *axis) ticks() (ticks []float64) {
	for exponent := a.low; exponent <= a.high; exponent++ {
		ticks = append(ticks, math.Pow(10, exponent))
	}
	return ticks
}
