package main

import (
	"bytes"
	"html"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	markdownhtml "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

// markdown is what people write in chats: no HTML (a < is a <), no headings,
// every line break kept, and an image is a link to it.
var markdown = goldmark.New(
	goldmark.WithParser(parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(parser.NewThematicBreakParser(), 200),
			util.Prioritized(parser.NewListParser(), 300),
			util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewCodeBlockParser(), 500),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
			util.Prioritized(parser.NewBlockquoteParser(), 800),
			util.Prioritized(parser.NewParagraphParser(), 1000),
		),
		parser.WithInlineParsers(
			util.Prioritized(parser.NewCodeSpanParser(), 100),
			util.Prioritized(parser.NewLinkParser(), 200),
			util.Prioritized(parser.NewAutoLinkParser(), 300),
			util.Prioritized(parser.NewEmphasisParser(), 500),
		),
		parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...),
	)),
	goldmark.WithExtensions(extension.Strikethrough, extension.Linkify),
	goldmark.WithRendererOptions(
		markdownhtml.WithHardWraps(),
		renderer.WithNodeRenderers(util.Prioritized(imageAsLink{}, 1)),
	),
)

// sanitiser lets through what markdown makes, and nothing else, should it ever
// make something else.
var sanitiser = func() *bluemonday.Policy {
	policy := bluemonday.NewPolicy()
	policy.AllowElements("p", "br", "em", "strong", "del", "code", "pre", "blockquote", "ul", "ol", "li", "hr")
	policy.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	policy.AllowAttrs("class").Matching(regexp.MustCompile(`^language-[a-zA-Z0-9+#-]{1,32}$`)).OnElements("code")
	policy.AllowAttrs("href").OnElements("a")
	policy.AllowURLSchemes("http", "https", "mailto")
	policy.RequireParseableURLs(true)
	policy.RequireNoFollowOnLinks(true)
	policy.RequireNoReferrerOnLinks(true)
	policy.AddTargetBlankToFullyQualifiedLinks(true)
	return policy
}()

// renderMarkdown is a message's text as HTML that may stand in a page. It is
// the one renderer: pages and live reads show the same.
func renderMarkdown(text string) string {
	var rendered bytes.Buffer
	if err := markdown.Convert([]byte(text), &rendered); err != nil {
		return "<p>" + html.EscapeString(text) + "</p>"
	}
	return string(bytes.TrimSpace(sanitiser.SanitizeBytes(rendered.Bytes())))
}

// imageAsLink renders an image as a link: a page loads nothing from elsewhere.
type imageAsLink struct{}

// RegisterFuncs is of goldmark's renderer.NodeRenderer.
func (imageAsLink) RegisterFuncs(register renderer.NodeRendererFuncRegisterer) {
	register.Register(ast.KindImage, func(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		image := node.(*ast.Image)
		target := html.EscapeString(string(image.Destination))
		name := html.EscapeString(plainText(image, source))
		if name == "" {
			name = target
		}
		w.WriteString(`<a href="` + target + `">` + name + `</a>`)
		return ast.WalkSkipChildren, nil
	})
}

// plainText is the text within a node, without its marks.
func plainText(node ast.Node, source []byte) string {
	var text strings.Builder
	ast.Walk(node, func(child ast.Node, entering bool) (ast.WalkStatus, error) {
		if leaf, ok := child.(*ast.Text); ok && entering {
			text.Write(leaf.Segment.Value(source))
		}
		return ast.WalkContinue, nil
	})
	return text.String()
}
