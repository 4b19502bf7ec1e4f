package markup

import (
	"bytes"
	"regexp"
	"strconv"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// quoteParser parses quotations, whose marker is "> ". Without the space, as in >_< or >>> print(),
// the line is plain text.
type quoteParser struct{ parser.BlockParser }

func newQuoteParser() parser.BlockParser { return quoteParser{parser.NewBlockquoteParser()} }

func (p quoteParser) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	line, _ := reader.PeekLine()
	if rest, ok := afterQuoteMarker(line); !ok || util.IsBlank(rest) {
		return nil, parser.NoChildren
	}
	return p.BlockParser.Open(parent, reader, pc)
}

func (p quoteParser) Continue(node ast.Node, reader text.Reader, pc parser.Context) parser.State {
	line, _ := reader.PeekLine()
	if _, ok := afterQuoteMarker(line); !ok {
		return parser.Close
	}
	return p.BlockParser.Continue(node, reader, pc)
}

// afterQuoteMarker returns what follows the > at the start of a line. ok reports whether that > is a quote
// marker, which means that white space or the end of the line follows it.
func afterQuoteMarker(line []byte) (rest []byte, ok bool) {
	rest, ok = bytes.CutPrefix(bytes.TrimLeft(line, " "), []byte(">"))
	return rest, ok && (len(rest) == 0 || util.IsSpace(rest[0]))
}

// listMarker matches the marker of a list item with content. An item that consists only of markers, as in
// "* * *", is text. So are "1) x" and "+ x", because a list would show a different marker.
var listMarker = regexp.MustCompile(`^ {0,3}(?:[-*]|\d{1,9}\.)[ \t]+[-*+_ \t]*[^-*+_ \t\r\n]`)

// listParser parses lists.
type listParser struct{ parser.BlockParser }

func newListParser() parser.BlockParser { return listParser{parser.NewListParser()} }

func (p listParser) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	if line, _ := reader.PeekLine(); !listMarker.Match(line) {
		return nil, parser.NoChildren
	}
	return p.BlockParser.Open(parent, reader, pc)
}

// fenceParser parses code blocks between lines of backticks. A line of tildes is text.
type fenceParser struct{ parser.BlockParser }

func newFenceParser() parser.BlockParser { return fenceParser{parser.NewFencedCodeBlockParser()} }

func (fenceParser) Trigger() []byte { return []byte{'`'} }

// ruleParser parses horizontal rules, which are lines of at least three hyphens. Lines of asterisks and
// underscores are text.
type ruleParser struct{ parser.BlockParser }

func newRuleParser() parser.BlockParser { return ruleParser{parser.NewThematicBreakParser()} }

var rule = regexp.MustCompile(`^ {0,3}-{3,}\s*$`)

func (ruleParser) Trigger() []byte { return []byte{'-'} }

func (p ruleParser) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	if line, _ := reader.PeekLine(); !rule.Match(line) {
		return nil, parser.NoChildren
	}
	return p.BlockParser.Open(parent, reader, pc)
}

// itemParser parses list items. The items of a numbered list keep the numbers that the author wrote,
// except that "1. 1. 1." becomes 1, 2, 3, as everywhere in Markdown.
type itemParser struct{ parser.BlockParser }

func newItemParser() parser.BlockParser { return itemParser{parser.NewListItemParser()} }

var itemNumber = regexp.MustCompile(`^ *(\d{1,9})\.`)

const writtenNumber = "written number" // an attribute of list items; not rendered

func (p itemParser) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	found := itemNumber.FindSubmatch(first(reader.PeekLine()))
	node, state := p.BlockParser.Open(parent, reader, pc)
	if node == nil || found == nil {
		return node, state
	}
	number, _ := strconv.Atoi(string(found[1]))
	node.SetAttributeString(writtenNumber, number)
	if previous := parent.LastChild(); previous != nil {
		written, _ := previous.AttributeString(writtenNumber)
		if last, _ := written.(int); number != last && number != last+1 {
			node.SetAttributeString("value", []byte(strconv.Itoa(number)))
		}
	}
	return node, state
}

// first returns the first result of text.Reader.PeekLine.
func first(line []byte, _ text.Segment) []byte { return line }
