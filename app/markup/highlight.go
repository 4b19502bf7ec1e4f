package markup

import (
	"html"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"
	"github.com/dlclark/regexp2/v2"
)

const (
	// highlightTime bounds the colouring of all code of one message. Lexers are regular
	// expressions, and anybody may send 4,000 characters made to keep one busy: what is
	// left when the time is over stays plain.
	highlightTime = 20 * time.Millisecond
	// matchTime is when one expression gives up, which nothing else can end. Chroma
	// would give it 250 ms, and several may try at one place.
	matchTime = 2 * time.Millisecond
)

// highlightTypes are the classes, which body.css knows, of the kinds of tokens;
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
// not known it is only escaped. What it takes is taken from the time that is left.
func highlight(language, code string, left *time.Duration) string {
	lexer := languages()[strings.ToLower(language)]
	if lexer == nil || *left <= 0 {
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
	began := time.Now() // not before Tokenise: it compiles a language when that is first used
	for time.Since(began) < *left {
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
	*left -= time.Since(began)
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

// languages are the lexers by what people call them, in lower case: a name, or how such
// files end. Chroma's own search tries the pattern of every file there is, 5 ms for a
// name that nobody knows. The few lexers made of others are missing: they cannot be
// bounded.
var languages = sync.OnceValue(func() map[string]chroma.Lexer {
	regexp2.SetTimeoutCheckPeriod(matchTime)
	registry := chroma.NewLexerRegistry() // where they find what is embedded in their language
	for _, lexer := range lexers.GlobalLexerRegistry.Lexers {
		if lexer, ok := lexer.(*chroma.RegexLexer); ok {
			registry.Register(bounded(lexer))
		}
	}
	sort.Stable(chroma.PrioritisedLexers(registry.Lexers))
	named := make(map[string]chroma.Lexer)
	name := func(lexer chroma.Lexer, names ...string) {
		for _, name := range names {
			name = strings.TrimPrefix(strings.ToLower(name), "*.")
			if named[name] == nil {
				named[name] = lexer
			}
		}
	}
	for _, lexer := range registry.Lexers {
		name(lexer, lexer.Config().Name)
		name(lexer, lexer.Config().Aliases...)
	}
	for _, lexer := range registry.Lexers {
		name(lexer, lexer.Config().Filenames...)
	}
	return named
})

// bounded is the lexer with expressions that give up after matchTime.
func bounded(lexer *chroma.RegexLexer) *chroma.RegexLexer {
	return chroma.MustNewLexer(lexer.Config(), func() chroma.Rules {
		return lexer.MustRules().Merge(chroma.Rules{"bounded": {{Mutator: bound{}}}})
	})
}

// bound is a rule that is there until the rules are compiled, and bounds them.
type bound struct{}

// Mutate is of chroma.Mutator.
func (bound) Mutate(*chroma.LexerState) error { return nil }

// MutateLexer is of chroma.LexerMutator.
func (bound) MutateLexer(rules chroma.CompiledRules, state string, _ int) error {
	delete(rules, state)
	for _, some := range rules {
		for _, rule := range some {
			rule.Regexp.MatchTimeout = matchTime
		}
	}
	return nil
}
