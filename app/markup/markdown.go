package markup

import (
	"bytes"
	"fmt"
	"html"
	"regexp"
	"strings"
	"sync"
	"time"

	"burble/streams"

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
		// Without definitions of links elsewhere: they would show nothing.
	)),
	goldmark.WithExtensions(extension.Strikethrough, extension.Linkify),
	goldmark.WithRendererOptions(
		markdownhtml.WithHardWraps(),
		renderer.WithNodeRenderers(util.Prioritized(imageAsLink{}, 1), util.Prioritized(colouredCode{}, 1)),
	),
)

// sanitiser lets through what markdown makes, and nothing else, should it ever
// make something else.
var sanitiser = func() *bluemonday.Policy {
	policy := bluemonday.NewPolicy()
	policy.AllowElements("p", "br", "em", "strong", "del", "code", "pre", "blockquote", "ul", "ol", "li", "hr")
	policy.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	policy.AllowAttrs("class").Matching(regexp.MustCompile(`^language-[a-zA-Z0-9+#-]{1,32}$`)).OnElements("code")
	policy.AllowAttrs("class").Matching(regexp.MustCompile(`^[kscnftid]$`)).OnElements("span") // see highlight.go
	policy.AllowAttrs("class").Matching(regexp.MustCompile(`^(?:emoji|action)$`)).OnElements("p")
	policy.AllowElements("details", "summary")
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
	return rendered.of(text, convertMarkdown)
}

// rendered keeps what was rendered lately: a page shows 50 messages, and colouring
// code takes its time.
var rendered = renderCache{most: 4 << 20}

// renderCache is a cache in two halves: when the newer is full, the older goes.
type renderCache struct {
	most int // bytes of each half, about

	mu           sync.Mutex
	newer, older map[string]string
	size         int // of newer
}

func (c *renderCache) of(text string, render func(string) string) string {
	c.mu.Lock()
	html, known := c.newer[text]
	if !known {
		html, known = c.older[text]
	}
	c.mu.Unlock()
	if known {
		return html
	}
	html = render(text)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size > c.most || c.newer == nil {
		c.newer, c.older, c.size = make(map[string]string), c.newer, 0
	}
	c.newer[text] = html
	c.size += len(text) + len(html) + 64
	return html
}

func convertMarkdown(text string) (rendered string) {
	defer func() {
		// A bug of the libraries must not end every process that shows the room.
		if recover() != nil {
			rendered = "<p>" + html.EscapeString(text) + "</p>"
		}
	}()
	var buffer bytes.Buffer
	if err := markdown.Convert([]byte(text), &buffer); err != nil {
		return "<p>" + html.EscapeString(text) + "</p>"
	}
	return string(bytes.TrimSpace(sanitiser.SanitizeBytes(buffer.Bytes())))
}

// renderEntry is the text of an entry as HTML. A text that begins with "/me " says
// what its author does; emoji without words are large.
func HTML(entry *streams.Entry) string {
	if action, ok := strings.CutPrefix(entry.Text, "/me "); ok && strings.TrimSpace(action) != "" {
		return `<p class="action"><bdi>` + html.EscapeString(entry.User.Name) + `</bdi> ` + html.EscapeString(strings.TrimSpace(action)) + `</p>`
	}
	if fewEmoji(entry.Text) {
		return `<p class="emoji">` + html.EscapeString(strings.TrimSpace(entry.Text)) + `</p>`
	}
	return renderMarkdown(entry.Text)
}

// textOf is what rendered HTML says.
func Text(rendered string) string {
	return html.UnescapeString(tags.ReplaceAllString(rendered, ""))
}

// emojiLimit is the most bytes that one emoji may have. The longest in Unicode 16 has 35.
const EmojiLimit = 64

var tags = regexp.MustCompile(`<[^>]*>`)

// fewEmoji says whether text is one to three emoji and nothing else.
func fewEmoji(text string) bool {
	if len(text) > 3*EmojiLimit {
		return false
	}
	count, joined, flag := 0, false, false
	for _, r := range text {
		switch {
		case r == '\u200d':
			joined = count > 0
		case r == '\ufe0f', r >= 0x1f3fb && r <= 0x1f3ff, r >= 0xe0020 && r <= 0xe007f: // a variant, a colour of skin, a flag's tag
			if count == 0 {
				return false
			}
		case r >= 0x1f1e6 && r <= 0x1f1ff: // two make a flag
			if flag = !flag; flag {
				count++
			}
		case r >= 0x1f000, r >= 0x2600 && r < 0x27c0, r >= 0x2b00 && r < 0x2c00, r >= 0x2300 && r < 0x2400:
			if !joined {
				count++
			}
			joined = false
		case r == ' ':
			joined = false
		default:
			return false
		}
	}
	return count > 0 && count <= 3 && !joined
}

// foldedLines is how long a block of code may be before it is folded.
const foldedLines = 20

// colouredCode renders blocks of code.
type colouredCode struct{}

// RegisterFuncs is of goldmark's renderer.NodeRenderer.
func (colouredCode) RegisterFuncs(register renderer.NodeRendererFuncRegisterer) {
	render := func(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		var language string
		if fenced, ok := node.(*ast.FencedCodeBlock); ok {
			language = string(fenced.Language(source))
		}
		var code strings.Builder
		for i := range node.Lines().Len() {
			segment := node.Lines().At(i)
			code.Write(segment.Value(source))
		}
		lines := node.Lines().Len()
		if lines > foldedLines {
			fmt.Fprintf(w, "<details><summary>%d lines</summary>", lines)
		}
		w.WriteString("<pre><code")
		if language != "" {
			w.WriteString(` class="language-` + html.EscapeString(language) + `"`)
		}
		w.WriteString(">" + highlight(language, strings.ToValidUTF8(strings.ReplaceAll(code.String(), "\x00", "\ufffd"), "\ufffd"), timeLeft(node)) + "</code></pre>\n")
		if lines > foldedLines {
			w.WriteString("</details>\n")
		}
		return ast.WalkSkipChildren, nil
	}
	register.Register(ast.KindFencedCodeBlock, render)
	register.Register(ast.KindCodeBlock, render)
}

// timeLeft is what the message of this node may still take to be coloured.
func timeLeft(node ast.Node) *time.Duration {
	document := node.OwnerDocument()
	left, known := document.Meta()["left"].(*time.Duration)
	if !known {
		left = new(highlightTime)
		document.AddMeta("left", left)
	}
	return left
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
