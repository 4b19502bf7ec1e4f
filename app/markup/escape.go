package markup

import (
	"bytes"
	"regexp"
	"sort"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// escapeParser decides whether a backslash is text or an escape. It is an escape, and not shown, if the
// character after it would otherwise be markup. So \*x\* is shown without backslashes, while
// \\server\share and ¯\_(ツ)_/¯ keep theirs.
type escapeParser struct{}

// Trigger implements goldmark's parser.InlineParser.
func (escapeParser) Trigger() []byte { return []byte{'\\'} }

// Parse implements goldmark's parser.InlineParser.
func (escapeParser) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	line, segment := block.PeekLine()
	shown := line[:len(line)-len(bytes.TrimLeft(line, `\`))]
	length := len(shown)
	if length == 1 && len(line) > 1 {
		if line[1] == '@' && len(line) > 2 && !util.IsSpace(line[2]) {
			block.Advance(2)
			node := ast.NewString([]byte("@<wbr>")) // separates the @ from the name, so that it is not a mention
			node.SetCode(true)
			return node
		}
		if escapes(line, segment.Start, surroundingsOf(parent, block, pc)) {
			shown, length = line[1:2], 2
		}
	}
	block.Advance(length)
	node := ast.NewString(shown)
	node.SetRaw(true)
	return node
}

var (
	entity        = regexp.MustCompile(`^&(?:[a-zA-Z][a-zA-Z0-9]*|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});`)
	angleLink     = regexp.MustCompile(`^<(?i:https?:|mailto:)`)
	beginsMessage = regexp.MustCompile(`^/me `)
	listNumber    = regexp.MustCompile(`^\d{1,9}$`)
)

// escapes reports whether the backslash at the beginning of line is an escape. at is its offset in the
// source.
func escapes(line []byte, at int, around *surroundings) bool {
	before, rest := around.lineBefore(at), line[1:]
	beginsItem := len(before) == 0 && len(rest) > 1 && (rest[1] == ' ' || rest[1] == '\t')
	switch rest[0] {
	case '*':
		return beginsItem || around.isMarkup(at)
	case '_', '~':
		return around.isMarkup(at)
	case '-', '>':
		return beginsItem
	case '.':
		return listNumber.Match(before) && len(rest) > 1 && rest[1] == ' '
	case '`':
		return bytes.Count(around.text, []byte("`")) > 1
	case '[':
		return around.mayEndLinkAfter(at)
	case '!':
		return bytes.HasPrefix(rest, []byte("![")) && around.mayEndLinkAfter(at)
	case ']':
		return bytes.HasPrefix(rest, []byte("](")) && bytes.IndexByte(around.text, '[') >= 0
	case '&':
		return entity.Match(rest)
	case '<':
		return angleLink.Match(rest)
	case '/':
		return at == 0 && beginsMessage.Match(rest)
	}
	return false
}

var surroundingsKey = parser.NewContextKey()

// surroundings is the text of one block as it would be without backslashes before * _ ~.
type surroundings struct {
	parent  ast.Node
	source  []byte
	text    []byte
	offsets []int // of each byte of text in the source
	runs    map[int]bool
}

// surroundingsOf returns the surroundings in parent, which is the block that is being parsed.
func surroundingsOf(parent ast.Node, block text.Reader, pc parser.Context) *surroundings {
	if known, ok := pc.Get(surroundingsKey).(*surroundings); ok && known.parent == parent {
		return known
	}
	s := &surroundings{parent: parent, source: block.Source()}
	for i := range parent.Lines().Len() {
		segment := parent.Lines().At(i)
		for at := segment.Start; at < segment.Stop; at++ {
			if s.source[at] == '\\' && at+1 < segment.Stop && isDelimiter(rune(s.source[at+1])) && (at == segment.Start || s.source[at-1] != '\\') {
				continue
			}
			s.text, s.offsets = append(s.text, s.source[at]), append(s.offsets, at)
		}
	}
	s.findMarkup()
	pc.Set(surroundingsKey, s)
	return s
}

// findMarkup sets runs to the positions of the delimiters that may form emphasis with another one.
func (s *surroundings) findMarkup() {
	type position struct {
		at, length        int
		char              byte
		mayOpen, mayClose bool
	}
	var all []position
	first, last := map[byte]int{}, map[byte]int{} // first that may open, last that may close
	for at := 0; at < len(s.text); at++ {
		if !isDelimiter(rune(s.text[at])) {
			continue
		}
		before, _ := utf8.DecodeLastRune(s.text[:at])
		if at == 0 {
			before = '\n'
		}
		run := scanRun(s.text[at:], before)
		found := position{at: at, length: run.length, char: run.char}
		found.mayOpen, found.mayClose = run.flanking()
		if _, known := first[run.char]; found.mayOpen && !known {
			first[run.char] = at
		}
		if found.mayClose {
			last[run.char] = at
		}
		all = append(all, found)
		at += run.length - 1
	}
	s.runs = map[int]bool{}
	for _, found := range all {
		opener, opened := first[found.char]
		if found.mayOpen && last[found.char] > found.at || found.mayClose && opened && opener < found.at {
			for i := range found.length {
				s.runs[found.at+i] = true
			}
		}
	}
}

// isMarkup reports whether the delimiter after the backslash at an offset of the source would be markup.
func (s *surroundings) isMarkup(at int) bool {
	return s.runs[sort.SearchInts(s.offsets, at+1)]
}

// mayEndLinkAfter reports whether a link or image could end after an offset of the source.
func (s *surroundings) mayEndLinkAfter(at int) bool {
	return bytes.Contains(s.text[min(len(s.text), sort.SearchInts(s.offsets, at)):], []byte("]("))
}

// lineBefore returns the line up to an offset of the source, without leading spaces.
func (s *surroundings) lineBefore(at int) []byte {
	to := min(len(s.text), sort.SearchInts(s.offsets, at))
	from := bytes.LastIndexByte(s.text[:to], '\n') + 1
	return bytes.TrimLeft(s.text[from:to], " ")
}

// trailingBackslashes shows a backslash at the end of a line, which goldmark takes for a line break.
type trailingBackslashes struct{}

// Transform implements goldmark's parser.ASTTransformer.
func (trailingBackslashes) Transform(document *ast.Document, reader text.Reader, _ parser.Context) {
	source := reader.Source()
	ast.Walk(document, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		leaf, ok := node.(*ast.Text)
		if ok && entering && leaf.HardLineBreak() && leaf.Segment.Stop < len(source) && source[leaf.Segment.Stop] == '\\' {
			leaf.Segment.Stop++
		}
		return ast.WalkContinue, nil
	})
}
