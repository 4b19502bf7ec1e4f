package markup

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"burble/streams/fold"

	"github.com/yuin/goldmark/ast"
	extension "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// emphasisParser parses *emphasis*, **strong emphasis** and ~~deleted text~~. It differs from CommonMark
// for text that is common in chats: arithmetic, file names, emoticons, and scripts without spaces.
type emphasisParser struct{}

// Trigger implements goldmark's parser.InlineParser.
func (emphasisParser) Trigger() []byte { return []byte{'*', '_', '~'} }

// Parse implements goldmark's parser.InlineParser.
func (emphasisParser) Parse(_ ast.Node, block text.Reader, pc parser.Context) ast.Node {
	line, segment := block.PeekLine()
	run := scanRun(line, block.PrecendingCharacter())
	segment = segment.WithStop(segment.Start + run.length)
	block.Advance(run.length)
	mayOpen, mayClose := run.flanking()
	if !mayOpen && !mayClose {
		return ast.NewTextSegment(segment)
	}
	delimiter := parser.NewDelimiter(mayOpen, mayClose, run.length, run.char, emphasisProcessor{run.char, countWordChars(block, pc)})
	delimiter.Segment = segment
	pc.PushDelimiter(delimiter)
	return delimiter
}

var wordsKey = parser.NewContextKey()

// countWordChars returns, for each byte of the source, how many letters, digits, marks, emoji and backticks
// precede it. Delimiters with none of these between them are an emoticon, such as (*^_^*).
func countWordChars(block text.Reader, pc parser.Context) []int32 {
	if words, ok := pc.Get(wordsKey).([]int32); ok {
		return words
	}
	source := block.Source()
	words := make([]int32, len(source)+1)
	for i := range source {
		words[i+1] = words[i]
		if r, _ := utf8.DecodeRune(source[i:]); fold.IsWord(r) || r == '`' || r >= 0x1f000 {
			words[i+1]++
		}
	}
	pc.Set(wordsKey, words)
	return words
}

// emphasisProcessor implements goldmark's parser.DelimiterProcessor.
type emphasisProcessor struct {
	char       byte
	wordCounts []int32
}

func (p emphasisProcessor) IsDelimiter(char byte) bool { return char == p.char }

func (p emphasisProcessor) CanOpenCloser(opener, closer *parser.Delimiter) bool {
	return opener.Char == closer.Char &&
		p.wordCounts[opener.Segment.Start+opener.OriginalLength] < p.wordCounts[closer.Segment.Start]
}

func (p emphasisProcessor) OnMatch(consumes int) ast.Node {
	if p.char == '~' {
		return extension.NewStrikethrough()
	}
	return ast.NewEmphasis(consumes)
}

// A delimiterRun is a sequence of one of the characters * _ ~, with its surroundings. The beginning and
// the end of a line count as spaces.
type delimiterRun struct {
	char   byte
	length int

	before           rune
	after, afterNext rune
}

// scanRun returns the run at the beginning of line.
func scanRun(line []byte, before rune) delimiterRun {
	run := delimiterRun{char: line[0], before: before, after: '\n', afterNext: '\n'}
	for run.length < len(line) && line[run.length] == run.char {
		run.length++
	}
	if rest := line[run.length:]; len(rest) > 0 {
		var size int
		run.after, size = utf8.DecodeRune(rest)
		if rest = rest[size:]; len(rest) > 0 {
			run.afterNext, _ = utf8.DecodeRune(rest)
		}
	}
	return run
}

// flanking reports whether the run may begin and whether it may end emphasis. Emphasis begins before a character
// that is not a space, and ends after such a character. Unlike in CommonMark, this also applies next to punctuation,
// because otherwise emphasis in scripts without spaces could not end with a period.
func (r delimiterRun) flanking() (mayOpen, mayClose bool) {
	if r.char == '~' && r.length != 2 || isSlash(r.before) && isSlash(r.after) {
		return false, false
	}
	mayOpen = !unicode.IsSpace(r.after) && !unicode.Is(unicode.Pe, r.after) && !fold.IsSpacedWord(r.before)
	mayClose = !unicode.IsSpace(r.before) && !unicode.Is(unicode.Ps, r.before)
	if isSentenceMark(r.after) && !unicode.IsSpace(r.before) && !unicode.Is(unicode.Ps, r.before) && !isDelimiter(r.before) {
		mayOpen = false // a footnote mark
	}
	switch {
	case r.char == '_':
		mayOpen = mayOpen && r.beginsWord()
		mayClose = mayClose && r.endsWord()
	case r.length == 1: // such as 2*3*4, and *.txt
		mayOpen = mayOpen && !(r.after == '.' && fold.IsWord(r.afterNext))
		mayClose = mayClose && !fold.IsSpacedWord(r.after) && !(r.after == '.' && fold.IsSpacedWord(r.afterNext))
	default: // such as x**2
		mayClose = mayClose && !unicode.IsDigit(r.after)
	}
	return mayOpen, mayClose
}

// beginsWord reports whether an underscore may begin emphasis. It must not be part of a name such as
// snake_case, or of a symbol such as -_-.
func (r delimiterRun) beginsWord() bool {
	return unicode.IsSpace(r.before) || isQuoteOrDelimiter(r.before) || unicode.In(r.before, unicode.Ps, unicode.Pi, unicode.Pf) ||
		r.before > unicode.MaxASCII && unicode.IsPunct(r.before) ||
		fold.IsWord(r.before) && !fold.IsWord(r.after)
}

// endsWord reports whether an underscore may end emphasis.
func (r delimiterRun) endsWord() bool {
	if r.after < utf8.RuneSelf && isSentenceMark(r.after) {
		return !fold.IsWord(r.afterNext) // __init__.py
	}
	return unicode.IsSpace(r.after) || isQuoteOrDelimiter(r.after) || unicode.In(r.after, unicode.Pe, unicode.Pi, unicode.Pf) ||
		r.after > unicode.MaxASCII && unicode.IsPunct(r.after) ||
		fold.IsWord(r.after) && !fold.IsSpacedWord(r.after) && !fold.IsWord(r.before)
}

func isSlash(r rune) bool            { return r == '/' || r == '\\' }
func isDelimiter(r rune) bool        { return r == '*' || r == '_' || r == '~' }
func isQuoteOrDelimiter(r rune) bool { return r == '"' || r == '\'' || isDelimiter(r) }
func isSentenceMark(r rune) bool     { return strings.ContainsRune(".,:;!?…。，、：；！？", r) }
