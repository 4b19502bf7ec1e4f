package markup

import (
	"bytes"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"burble/streams/fold"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// linkParser turns URLs and email addresses in the text into links, as GitHub does: with any host, and up
// to the next space. Goldmark's own parser ends a link at the first character that is not ASCII.
type linkParser struct{}

// Trigger implements goldmark's parser.InlineParser. The parser finds a URL by its colon, because a URL
// may follow any character except a letter. It finds a URL without a scheme by the period of "www.", and
// an address by its @.
func (linkParser) Trigger() []byte { return []byte{':', '.', '@'} }

var (
	schemeBefore = regexp.MustCompile(`(?i)(?:^|[^a-z0-9])(https?)$`)
	wwwBefore    = regexp.MustCompile(`(?i)(?:^|[^a-z0-9])(www)$`)
	localBefore  = regexp.MustCompile(`(?:^|[^\pL\pN._+/@-]|[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}])([a-zA-Z0-9][a-zA-Z0-9._+-]*)$`)
	emailHost    = regexp.MustCompile(`^@(?:(?:[a-zA-Z0-9][a-zA-Z0-9-]*\.)+[a-zA-Z][a-zA-Z0-9-]*|(?:[\pL\pN][\pL\pM\pN-]*\.)+[\pL][\pL\pM\pN-]*)`)
)

// Parse implements goldmark's parser.InlineParser.
func (linkParser) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	line, segment := block.PeekLine()
	if pc.IsInLinkLabel() && bytes.Contains(line, []byte("](")) {
		return nil
	}
	before := textBefore(parent, block.Source(), segment.Start)
	kind, protocol, start, length := ast.AutoLinkURL, "", []byte(nil), 0
	switch line[0] {
	case ':':
		if rest, ok := bytes.CutPrefix(line, []byte("://")); ok {
			start, length = submatch(schemeBefore, before), len("://")+urlLength(rest)
		}
	case '.':
		start, length, protocol = submatch(wwwBefore, before), 1+urlLength(line[1:]), "http"
	case '@':
		if start = submatch(localBefore, before); start != nil {
			kind, length = ast.AutoLinkEmail, len(emailHost.Find(line))
		}
	}
	if start == nil || length <= len("://") {
		return nil
	}
	link := segment
	link.Start -= len(start)
	link.Stop = segment.Start + length
	if kind == ast.AutoLinkURL && href(protocol, string(link.Value(block.Source()))) == "" {
		return nil
	}
	dropText(parent, len(start))
	block.Advance(length)
	node := ast.NewAutoLink(kind, ast.NewTextSegment(link))
	if protocol != "" {
		node.Protocol = []byte(protocol)
	}
	return node
}

// textBefore returns the text that the last children of parent contain, up to an offset of the source.
func textBefore(parent ast.Node, source []byte, end int) []byte {
	start := end
	for child := parent.LastChild(); child != nil; child = child.PreviousSibling() {
		leaf, ok := child.(*ast.Text)
		if !ok || leaf.Segment.Stop != start || leaf.SoftLineBreak() || leaf.HardLineBreak() {
			break
		}
		start = leaf.Segment.Start
	}
	return source[start:end]
}

// dropText removes the last bytes of the text at the end of parent.
func dropText(parent ast.Node, count int) {
	for count > 0 {
		leaf := parent.LastChild().(*ast.Text)
		dropped := min(count, leaf.Segment.Len())
		leaf.Segment.Stop -= dropped
		if count -= dropped; leaf.Segment.Len() == 0 {
			parent.RemoveChild(parent, leaf)
		}
	}
}

func submatch(pattern *regexp.Regexp, text []byte) []byte {
	if len(text) > 64 {
		text = text[len(text)-64:]
		for len(text) > 0 && !utf8.RuneStart(text[0]) {
			text = text[1:]
		}
	}
	if found := pattern.FindSubmatch(text); found != nil {
		return found[1]
	}
	return nil
}

// urlLength returns the length of the URL, without a scheme, at the beginning of text. The host ends at
// the first character that no host contains, and the rest ends at a space or at a character that no URL
// contains.
func urlLength(text []byte) int {
	end := bytes.IndexFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d' || strings.ContainsRune("<>\"`", r)
	})
	if end < 0 {
		end = len(text)
	}
	text = text[:end]
	if path := bytes.IndexAny(text, "/?#"); path < 0 {
		text = text[:authorityLength(text)]
	} else if authority := authorityLength(text[:path]); authority < path {
		text = text[:authority]
	}
	return len(trimURL(string(text)))
}

// authorityLength returns the length of the beginning of text that can be a host, with a user and a port.
func authorityLength(text []byte) int {
	host := bytes.LastIndexByte(text, '@') + 1
	if bytes.HasPrefix(text[host:], []byte("[")) {
		if end := bytes.IndexByte(text, ']'); end >= 0 {
			host = end + 1
		}
	}
	end := bytes.IndexFunc(text[host:], func(r rune) bool { return !fold.IsWord(r) && !strings.ContainsRune("-._:~%\u200c\u200d", r) })
	if end < 0 {
		return len(text)
	}
	return host + end
}

// brackets maps closing brackets to opening ones.
var brackets = map[rune]rune{')': '(', ']': '[', '}': '{', '）': '（', '」': '「', '』': '『', '】': '【', '》': '《', '〉': '〈', '］': '［'}

// trimURL removes from the end of a URL what belongs to the sentence around it: punctuation, a bracket
// that was opened before the URL, and an entity.
func trimURL(url string) string {
	for url != "" {
		r, size := utf8.DecodeLastRuneInString(url)
		trimmed := url[:len(url)-size]
		switch opening, isBracket := brackets[r]; {
		case isBracket:
			if strings.Count(url, string(opening)) >= strings.Count(url, string(r)) {
				return url
			}
		case r == ';':
			if at := strings.LastIndexByte(url, '&'); at >= 0 && entity.MatchString(url[at:]) {
				trimmed = url[:at]
			}
		case !strings.ContainsRune("?!.,:*_~'\\|。，、！？：；…’”»", r):
			return url
		}
		url = trimmed
	}
	return url
}
