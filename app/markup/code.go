package markup

import (
	"fmt"
	"html"
	"strings"
	"time"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/util"
)

// maxUnfoldedLines is the maximum number of lines in a code block that is not folded.
const maxUnfoldedLines = 20

// codeRenderer renders code blocks with syntax highlighting.
type codeRenderer struct{}

// RegisterFuncs implements goldmark's renderer.NodeRenderer.
func (codeRenderer) RegisterFuncs(register renderer.NodeRendererFuncRegisterer) {
	register.Register(ast.KindFencedCodeBlock, renderCode)
	register.Register(ast.KindCodeBlock, renderCode)
}

func renderCode(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	var language string
	if fenced, ok := node.(*ast.FencedCodeBlock); ok {
		language = string(fenced.Language(source))
	}
	var raw strings.Builder
	lines := node.Lines().Len()
	for i := range lines {
		segment := node.Lines().At(i)
		raw.Write(segment.Value(source))
	}
	code := strings.ToValidUTF8(strings.ReplaceAll(raw.String(), "\x00", "\ufffd"), "\ufffd")
	if lines > maxUnfoldedLines {
		fmt.Fprintf(w, "<details><summary>%d lines</summary>", lines)
	}
	w.WriteString("<pre><code")
	if language != "" {
		w.WriteString(` class="language-` + html.EscapeString(language) + `"`)
	}
	w.WriteString(">" + highlight(language, code, highlightBudget(node)) + "</code></pre>\n")
	if lines > maxUnfoldedLines {
		w.WriteString("</details>\n")
	}
	return ast.WalkSkipChildren, nil
}

// highlightBudget returns the remaining time for highlighting code in the node's message.
func highlightBudget(node ast.Node) *time.Duration {
	const key = "highlight budget"
	document := node.OwnerDocument()
	budget, known := document.Meta()[key].(*time.Duration)
	if !known {
		budget = new(maxHighlightTime)
		document.AddMeta(key, budget)
	}
	return budget
}
