package main

import (
	"html"
	"strings"
	"time"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"
)

// highlightTime bounds the colouring of one block of code. Lexers are regular
// expressions, and anybody may send 4,000 characters made to keep one busy: what is
// left when the time is over stays plain.
const highlightTime = 50 * time.Millisecond

// highlightTypes are the classes, which message.css knows, of the kinds of tokens;
// the first that a token's type is of counts.
var highlightTypes = []struct {
	kind  chroma.TokenType
	class string
}{
	{chroma.KeywordType, "t"}, {chroma.KeywordConstant, "n"}, {chroma.Keyword, "k"},
	{chroma.NameFunction, "f"}, {chroma.NameBuiltin, "f"}, {chroma.NameAttribute, "f"}, {chroma.NameDecorator, "f"},
	{chroma.NameClass, "t"}, {chroma.NameTag, "k"}, {chroma.NameConstant, "n"},
	{chroma.LiteralString, "s"}, {chroma.LiteralNumber, "n"}, {chroma.Comment, "c"}, {chroma.OperatorWord, "k"},
	{chroma.GenericInserted, "i"}, {chroma.GenericDeleted, "d"}, {chroma.GenericSubheading, "k"},
}

// highlight is code as HTML, with spans where it is coloured. In a language that is
// not known it is only escaped.
func highlight(language, code string) string {
	lexer := lexers.Get(language)
	if language == "" || lexer == nil {
		return html.EscapeString(code)
	}
	tokens, err := lexer.Tokenise(nil, code)
	if err != nil {
		return html.EscapeString(code)
	}
	var coloured strings.Builder
	rest, class := code, ""
	open := func(next string) {
		if class != "" && next != class {
			coloured.WriteString("</span>")
		}
		if next != "" && next != class {
			coloured.WriteString(`<span class="` + next + `">`)
		}
		class = next
	}
	for began := time.Now(); time.Since(began) < highlightTime; {
		token := tokens()
		// A lexer may add a line's end of its own, or change what it read: the code
		// is shown as it was sent.
		if token == chroma.EOF || !strings.HasPrefix(rest, token.Value) {
			break
		}
		rest = rest[len(token.Value):]
		open(classOf(token.Type))
		coloured.WriteString(html.EscapeString(token.Value))
	}
	open("")
	return coloured.String() + html.EscapeString(rest)
}

func classOf(kind chroma.TokenType) string {
	for _, known := range highlightTypes {
		if kind == known.kind || kind.InSubCategory(known.kind) && known.kind%100 == 0 || kind.InCategory(known.kind) && known.kind%1000 == 0 {
			return known.class
		}
	}
	return ""
}
