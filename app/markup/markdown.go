package markup

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	markdownhtml "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// markdown converts Markdown as people write it in chats. It deliberately has no parsers for raw HTML,
// headings, or link reference definitions. Definitions would be invisible in the output.
var markdown = goldmark.New(
	goldmark.WithParser(parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(newRuleParser(), 200),
			util.Prioritized(newListParser(), 300),
			util.Prioritized(newItemParser(), 400),
			util.Prioritized(parser.NewCodeBlockParser(), 500),
			util.Prioritized(newFenceParser(), 700),
			util.Prioritized(newQuoteParser(), 800),
			util.Prioritized(parser.NewParagraphParser(), 1000),
		),
		parser.WithInlineParsers(
			util.Prioritized(parser.NewCodeSpanParser(), 100),
			util.Prioritized(parser.NewLinkParser(), 200),
			util.Prioritized(parser.NewAutoLinkParser(), 300),
			util.Prioritized(escapeParser{}, 400),
			util.Prioritized(emphasisParser{}, 500),
			util.Prioritized(linkParser{}, 600),
		),
		parser.WithASTTransformers(util.Prioritized(trailingBackslashes{}, 100)),
	)),
	goldmark.WithRendererOptions(
		markdownhtml.WithHardWraps(),
		renderer.WithNodeRenderers(
			util.Prioritized(linkRenderer{}, 1), util.Prioritized(codeRenderer{}, 1),
			util.Prioritized(extension.NewStrikethroughHTMLRenderer(), 1),
		),
	),
)

// sanitizer keeps the elements and attributes that markdown produces, and removes all others.
var sanitizer = func() *bluemonday.Policy {
	policy := bluemonday.NewPolicy()
	policy.AllowElements("p", "br", "em", "strong", "del", "code", "pre", "blockquote", "ul", "ol", "li", "hr")
	policy.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	policy.AllowAttrs("value").Matching(bluemonday.Integer).OnElements("li")
	policy.AllowAttrs("class").Matching(regexp.MustCompile(`^language-[a-zA-Z0-9+#-]{1,32}$`)).OnElements("code")
	policy.AllowAttrs("class").Matching(regexp.MustCompile(`^[kscnftid]$`)).OnElements("span") // see highlight.go
	policy.AllowAttrs("class").Matching(regexp.MustCompile(`^(?:emoji|action)$`)).OnElements("p")
	policy.AllowElements("details", "summary", "wbr")
	policy.AllowAttrs("href").OnElements("a")
	policy.AllowURLSchemes("http", "https", "mailto")
	policy.RequireParseableURLs(true)
	policy.RequireNoFollowOnLinks(true)
	policy.RequireNoReferrerOnLinks(true)
	policy.AddTargetBlankToFullyQualifiedLinks(true)
	return policy
}()

// lineBreaks replaces the line breaks of other programs: Word and PowerPoint copy theirs as U+000B,
// and macOS copies some as U+2028 and U+2029. Browsers would join the lines.
var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\v", "\n", "\f", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

// renderMarkdown returns the text of a message as HTML that is safe to embed in a page. It returns the
// text as one paragraph without markup if the text is nested too deeply, if its HTML would be too large
// or show nothing, as with "***", or if the Markdown library fails or panics. Otherwise a single message
// could crash every server that shows the room, or make the room expensive to show.
func renderMarkdown(source string) (rendered string) {
	source = lineBreaks.Replace(source)
	defer func() {
		if recover() != nil {
			rendered = plainHTML(source)
		}
	}()
	if isNestedTooDeeply(source) {
		return plainHTML(source)
	}
	document := markdown.Parser().Parse(text.NewReader([]byte(source)))
	if depth(document) > maxNesting {
		return plainHTML(source)
	}
	var buffer bytes.Buffer
	err := markdown.Renderer().Render(&buffer, []byte(source), document)
	if err != nil || buffer.Len() > maxHTML(source) {
		return plainHTML(source)
	}
	safe := string(bytes.TrimSpace(sanitizer.SanitizeBytes(buffer.Bytes())))
	if len(safe) > maxHTML(source) || !isVisibleText(Text(safe)) {
		return plainHTML(source)
	}
	return safe
}

// plainText returns the text inside a node without its markup.
func plainText(node ast.Node, source []byte) string {
	var content strings.Builder
	ast.Walk(node, func(child ast.Node, entering bool) (ast.WalkStatus, error) {
		if leaf, ok := child.(*ast.Text); ok && entering {
			content.Write(leaf.Segment.Value(source))
		} else if leaf, ok := child.(*ast.String); ok && entering {
			content.Write(leaf.Value)
		}
		return ast.WalkContinue, nil
	})
	return content.String()
}
