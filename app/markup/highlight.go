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
	// maxHighlightTime bounds the time spent on highlighting the code of one message. Lexers use regular
	// expressions, and any user can send 4,000 characters that take a lexer a long time. After this time,
	// the rest of the code is not highlighted.
	maxHighlightTime = 20 * time.Millisecond
	// maxMatchTime bounds a single match of an expression, because a match cannot be canceled.
	// Chroma's default is 250 ms, and a lexer may try several expressions at one position.
	maxMatchTime = 2 * time.Millisecond
)

// tokenClasses maps token types to CSS classes, which body.css styles. The first entry that includes
// a token's type applies.
var tokenClasses = []struct {
	kind  chroma.TokenType
	class string
}{
	{chroma.KeywordType, "t"}, {chroma.KeywordConstant, "n"}, {chroma.Keyword, "k"},
	{chroma.NameFunction, "f"}, {chroma.NameBuiltin, "f"}, {chroma.NameAttribute, "f"}, {chroma.NameDecorator, "f"},
	{chroma.NameClass, "t"}, {chroma.NameTag, "k"}, {chroma.NameConstant, "n"},
	{chroma.LiteralString, "s"}, {chroma.LiteralNumber, "n"}, {chroma.Comment, "c"}, {chroma.OperatorWord, "k"},
	{chroma.GenericInserted, "i"}, {chroma.GenericDeleted, "d"}, {chroma.GenericSubheading, "k"},
}

// highlight returns code as HTML, with a span around each token that has a class. It subtracts the time
// that it takes from budget. Code in an unknown language, and the rest of the code once the budget is
// used up, is only escaped.
func highlight(language, code string, budget *time.Duration) string {
	lexer := languages()[strings.ToLower(language)]
	if lexer == nil || *budget <= 0 {
		return html.EscapeString(code)
	}
	tokens, err := lexer.Tokenise(nil, code)
	if err != nil {
		return html.EscapeString(code)
	}
	var highlighted strings.Builder
	rest, class := code, ""
	setClass := func(next string) {
		if class != "" && next != class {
			highlighted.WriteString("</span>")
		}
		if next != "" && next != class {
			highlighted.WriteString(`<span class="` + next + `">`)
		}
		class = next
	}
	began := time.Now() // after Tokenise, which compiles a language's expressions on first use
	// Without this limit, the spans of dense code could exceed maxHTML, and the whole message would be
	// shown as plain text.
	maxLength := 1<<10 + 4*len(code)
	for time.Since(began) < *budget && highlighted.Len() < maxLength {
		token := tokens()
		// A lexer may append a line feed or normalize characters. Highlighting stops where the
		// tokens differ from the code, because the page must show the code unchanged.
		if token == chroma.EOF || !strings.HasPrefix(rest, token.Value) {
			break
		}
		rest = rest[len(token.Value):]
		setClass(classOf(token.Type))
		highlighted.WriteString(html.EscapeString(token.Value))
	}
	*budget -= time.Since(began)
	setClass("")
	return highlighted.String() + html.EscapeString(rest)
}

// classOf returns the CSS class for a token type, or "" if it has none. In Chroma's numbering,
// multiples of 1,000 are categories and multiples of 100 are subcategories.
func classOf(kind chroma.TokenType) string {
	for _, known := range tokenClasses {
		if kind == known.kind || kind.InSubCategory(known.kind) && known.kind%100 == 0 || kind.InCategory(known.kind) && known.kind%1000 == 0 {
			return known.class
		}
	}
	return ""
}

// languages returns the lexers by name, alias and file extension, in lower case. Chroma's own lookup
// takes 5 ms for an unknown name, because it tries every file name pattern. The map omits the few
// lexers that combine other lexers, because their matching time cannot be bounded.
var languages = sync.OnceValue(func() map[string]chroma.Lexer {
	regexp2.SetTimeoutCheckPeriod(maxMatchTime)
	registry := chroma.NewLexerRegistry() // lexers look up embedded languages here
	for _, lexer := range lexers.GlobalLexerRegistry.Lexers {
		if lexer, ok := lexer.(*chroma.RegexLexer); ok {
			registry.Register(withMatchTime(lexer))
		}
	}
	sort.Stable(chroma.PrioritisedLexers(registry.Lexers))
	byName := make(map[string]chroma.Lexer)
	add := func(lexer chroma.Lexer, names ...string) {
		for _, name := range names {
			name = strings.TrimPrefix(strings.ToLower(name), "*.")
			if byName[name] == nil {
				byName[name] = lexer
			}
		}
	}
	for _, lexer := range registry.Lexers {
		add(lexer, lexer.Config().Name)
		add(lexer, lexer.Config().Aliases...)
	}
	for _, lexer := range registry.Lexers {
		add(lexer, lexer.Config().Filenames...)
	}
	return byName
})

// withMatchTime returns the lexer with a time limit on each match.
func withMatchTime(lexer *chroma.RegexLexer) *chroma.RegexLexer {
	return chroma.MustNewLexer(lexer.Config(), func() chroma.Rules {
		return lexer.MustRules().Merge(chroma.Rules{"match time": {{Mutator: matchTimeout{}}}})
	})
}

// matchTimeout is a mutator that sets the time limit for every expression in a lexer when Chroma
// compiles the lexer. First it removes the state that withMatchTime added, whose only rule is this
// mutator.
type matchTimeout struct{}

// Mutate implements chroma.Mutator.
func (matchTimeout) Mutate(*chroma.LexerState) error { return nil }

// MutateLexer implements chroma.LexerMutator.
func (matchTimeout) MutateLexer(rules chroma.CompiledRules, state string, _ int) error {
	delete(rules, state)
	for _, inState := range rules {
		for _, rule := range inState {
			rule.Regexp.MatchTimeout = maxMatchTime
		}
	}
	return nil
}
