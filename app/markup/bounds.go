package markup

import (
	"html"
	"strings"

	"github.com/yuin/goldmark/ast"
)

// maxNesting is the maximum depth of nested elements in a message. A list counts as two.
const maxNesting = 32

// maxHTML returns the maximum length in bytes of the HTML for source. A link takes about
// 100 bytes.
func maxHTML(source string) int { return min(2<<10+6*len(source), 32<<10) }

// plainHTML returns source as one paragraph of HTML, with its markup shown as text.
func plainHTML(source string) string {
	return "<p>" + strings.ReplaceAll(html.EscapeString(source), "\n", "<br>\n") + "</p>"
}

// isNestedTooDeeply reports whether a line opens more than maxNesting quotes or lists. Such a line is not
// parsed, because each level takes one character to write, but a kilobyte of memory to parse.
func isNestedTooDeeply(source string) bool {
	for line := range strings.Lines(source) {
		markers := line[:len(line)-len(strings.TrimLeft(line, " \t>-+*0123456789.)"))]
		opened := 0
		for _, marker := range []string{">", "- ", "+ ", "* ", ". ", ") "} {
			opened += strings.Count(markers, marker)
		}
		if opened > maxNesting {
			return true
		}
	}
	return false
}

// depth returns how deeply the nodes of a document are nested.
func depth(document ast.Node) (deepest int) {
	now := -1
	ast.Walk(document, func(_ ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			now--
			return ast.WalkContinue, nil
		}
		now++
		deepest = max(deepest, now)
		return ast.WalkContinue, nil
	})
	return deepest
}
