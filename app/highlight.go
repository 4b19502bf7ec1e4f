package main

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Code is coloured by one scan from left to right that never goes back, because
// anybody may send anything: a highlighter made of regular expressions spends seconds
// on 4,000 characters made for it. The classes, which message.css knows: k keyword,
// s string, c comment, n number or constant, f function, key or attribute, t type,
// i and d a line put in or deleted.

// grammar is what a language looks like, as far as colours go.
type grammar struct {
	line   []string        // begin a comment to the end of the line
	block  [2]string       // around a longer comment; empty for none
	quotes string          // each begins and ends a string
	long   string          // those of quotes that go over several lines
	words  map[string]bool // keywords
	keys   bool            // what stands before a colon or an equals sign is a key
	cases  bool            // keywords may be in capitals
}

func wordSet(words string) map[string]bool {
	set := make(map[string]bool)
	for word := range strings.FieldsSeq(words) {
		set[word] = true
	}
	return set
}

var constants = wordSet("true false null nil none None True False undefined NULL nullptr NaN self this")

const curly = "if else for while do switch case default break continue return try catch finally throw new class extends implements " +
	"interface enum import export package const var static public private protected abstract final super void in is as "

var grammars = map[string]*grammar{
	"c": {line: []string{"//"}, block: [2]string{"/*", "*/"}, quotes: `"'`,
		words: wordSet(curly + "struct union typedef sizeof goto extern inline volatile register int char long short float double unsigned signed bool " +
			"auto namespace template typename using virtual override operator delete friend constexpr noexcept string foreach async await out ref readonly " +
			"#include #define #ifdef #ifndef #endif #if #else #pragma throws synchronized instanceof byte boolean record sealed")},
	"js": {line: []string{"//"}, block: [2]string{"/*", "*/"}, quotes: "\"'`", long: "`",
		words: wordSet(curly + "function let of typeof instanceof delete async await yield from get set type declare namespace keyof readonly infer satisfies")},
	"go": {line: []string{"//"}, block: [2]string{"/*", "*/"}, quotes: "\"'`", long: "`",
		words: wordSet("break case chan const continue default defer else fallthrough for func go goto if import interface map package range return " +
			"select struct switch type var string int int64 error bool byte rune any make append len new")},
	"rust": {line: []string{"//"}, block: [2]string{"/*", "*/"}, quotes: `"`, long: `"`,
		words: wordSet(curly + "fn let mut match impl trait pub use mod crate struct loop where move ref unsafe dyn async await type usize u8 u32 u64 i32 i64 f64 str bool")},
	"kotlin": {line: []string{"//"}, block: [2]string{"/*", "*/"}, quotes: `"'`,
		words: wordSet(curly + "fun val when object companion data override open sealed suspend let func guard protocol extension struct init deinit some inout " +
			"where defer repeat lazy weak mutating def trait match object with late required dynamic async await")},
	"php": {line: []string{"//", "#"}, block: [2]string{"/*", "*/"}, quotes: `"'`, long: `"'`,
		words: wordSet(curly + "function echo foreach elseif fn match namespace use trait array endif endforeach require include")},
	"python": {line: []string{"#"}, quotes: `"'`,
		words: wordSet("and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or " +
			"pass raise return try while with yield match case print")},
	"ruby": {line: []string{"#"}, quotes: "\"'`", long: `"'`,
		words: wordSet("alias and begin break case class def do else elsif end ensure for if in module next not or redo rescue retry return self super then " +
			"unless until when while yield require attr_reader attr_accessor puts defmodule defp fn use import")},
	"sh": {line: []string{"#"}, quotes: `"'`, long: `"'`,
		words: wordSet("if then else elif fi for while until do done case esac in function return exit local export readonly set unset echo cd source sudo " +
			"FROM RUN CMD COPY ADD ENV ARG WORKDIR ENTRYPOINT EXPOSE USER")},
	"sql": {line: []string{"--"}, block: [2]string{"/*", "*/"}, quotes: `"'`, long: `'`, cases: true,
		words: wordSet("select from where and or not in is as on join left right inner outer full cross group order by having limit offset insert into values " +
			"update set delete create table index view drop alter add column primary key foreign references unique default check constraint distinct union all " +
			"case when then else end exists between like with returning begin commit rollback explain analyze int integer text varchar boolean timestamp")},
	"lua": {line: []string{"--"}, block: [2]string{"--[[", "]]"}, quotes: `"'`,
		words: wordSet("and break do else elseif end for function goto if in local not or repeat return then until while module where let of data type import")},
	"css":  {block: [2]string{"/*", "*/"}, quotes: `"'`, keys: true, words: wordSet("@media @import @layer @supports @keyframes @font-face !important")},
	"json": {line: []string{"//"}, quotes: `"`, keys: true},
	"yaml": {line: []string{"#", ";"}, quotes: `"'`, keys: true, words: wordSet("yes no on off")},
	"html": {},
	"diff": {},
}

// aliases are the names of languages that are written like another.
var aliases = func() map[string]string {
	names := make(map[string]string)
	for name, others := range map[string]string{
		"c": "cpp c++ h hpp cc cs csharp c# java arduino objc glsl zig proto protobuf", "js": "javascript ts typescript jsx tsx mjs node",
		"go": "golang", "rust": "rs", "kotlin": "kt swift scala dart groovy", "python": "py python3", "ruby": "rb elixir ex exs perl",
		"sh": "bash shell zsh fish console docker dockerfile make makefile powershell ps1", "sql": "psql mysql sqlite postgres", "lua": "haskell hs",
		"css": "scss less", "json": "jsonc json5", "yaml": "yml toml ini conf env properties", "html": "xml svg vue", "diff": "patch", "php": "",
	} {
		names[name] = name
		for other := range strings.FieldsSeq(others) {
			names[other] = name
		}
	}
	return names
}()

// highlight is code as HTML, with spans where it is coloured. In a language it does
// not know it is only escaped.
func highlight(language, code string) string {
	name := aliases[strings.ToLower(language)]
	painter := painter{grammar: grammars[name], rest: code}
	painter.out.Grow(2 * len(code))
	switch name {
	case "":
		return html.EscapeString(code)
	case "diff":
		painter.diff()
	case "html":
		painter.markup()
	default:
		painter.program()
	}
	return painter.out.String()
}

// painter writes code that it takes from the front of rest.
type painter struct {
	*grammar
	rest string
	out  strings.Builder
}

// take writes the next bytes in a class; "" is none.
func (p *painter) take(length int, class string) {
	if length == 0 {
		return
	}
	text := html.EscapeString(p.rest[:length])
	p.rest = p.rest[length:]
	if class == "" {
		p.out.WriteString(text)
		return
	}
	p.out.WriteString(`<span class="` + class + `">`)
	p.out.WriteString(text)
	p.out.WriteString(`</span>`)
}

// upTo is how far it is to the end of what is looked for; all that is left, if it
// is not there.
func (p *painter) upTo(from int, end string) int {
	if at := strings.Index(p.rest[from:], end); at >= 0 {
		return from + at + len(end)
	}
	return len(p.rest)
}

func (p *painter) program() {
	for p.rest != "" {
		switch length := p.comment(); {
		case length > 0:
			p.take(length, "c")
		case strings.IndexByte(p.quotes, p.rest[0]) >= 0:
			p.string()
		case isDigit(p.rest[0]):
			p.take(span(p.rest, func(r rune) bool { return r == '.' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }), "n")
		case isWordStart(p.rest):
			p.word()
		default:
			_, size := utf8.DecodeRuneInString(p.rest)
			p.take(size, "")
		}
	}
}

// comment is the length of the comment that begins here; 0 for none.
func (p *painter) comment() int {
	if p.block[0] != "" && strings.HasPrefix(p.rest, p.block[0]) {
		return p.upTo(len(p.block[0]), p.block[1])
	}
	for _, mark := range p.line {
		if strings.HasPrefix(p.rest, mark) {
			return lineLength(p.rest)
		}
	}
	return 0
}

func (p *painter) string() {
	quote := p.rest[0]
	if triple := strings.Repeat(string(quote), 3); strings.HasPrefix(p.rest, triple) {
		p.take(p.upTo(3, triple), "s")
		return
	}
	long := strings.IndexByte(p.long, quote) >= 0
	end := 1
	for end < len(p.rest) && p.rest[end] != quote && (long || p.rest[end] != '\n') {
		if p.rest[end] == '\\' && end+1 < len(p.rest) {
			end++
		}
		end++
	}
	if end < len(p.rest) && p.rest[end] == quote {
		end++
	}
	end = min(end, len(p.rest))
	class := "s"
	if p.keys && strings.HasPrefix(strings.TrimLeft(p.rest[end:min(end+8, len(p.rest))], " \t"), ":") {
		class = "f"
	}
	p.take(end, class)
}

func (p *painter) word() {
	_, first := utf8.DecodeRuneInString(p.rest)
	length := first + span(p.rest[first:], func(r rune) bool {
		return r == '_' || r == '-' && p.keys || unicode.IsLetter(r) || unicode.IsDigit(r)
	})
	word := p.rest[:length]
	known := word
	if p.cases {
		known = strings.ToLower(word)
	}
	after := strings.TrimLeft(p.rest[length:min(length+8, len(p.rest))], " \t")
	r, _ := utf8.DecodeRuneInString(word)
	switch {
	case p.words[known]:
		p.take(length, "k")
	case constants[word]:
		p.take(length, "n")
	case strings.HasPrefix(after, "("), p.keys && (strings.HasPrefix(after, ":") || strings.HasPrefix(after, "=")):
		p.take(length, "f")
	case unicode.IsUpper(r) && strings.IndexFunc(word, unicode.IsLower) > 0:
		p.take(length, "t")
	default:
		p.take(length, "")
	}
}

// markup is HTML and its relatives.
func (p *painter) markup() {
	for p.rest != "" {
		switch {
		case strings.HasPrefix(p.rest, "<!--"):
			p.take(p.upTo(4, "-->"), "c")
		case p.rest[0] == '<':
			p.tag()
		default:
			p.take(strings.IndexByte(p.rest+"<", '<'), "")
		}
	}
}

func (p *painter) tag() {
	mark := 1 + span(p.rest[1:], func(r rune) bool { return strings.ContainsRune("/!?", r) })
	p.take(mark, "")
	name := func(r rune) bool {
		return strings.ContainsRune("-_:@.", r) || unicode.IsLetter(r) || unicode.IsDigit(r)
	}
	p.take(span(p.rest, name), "k")
	for p.rest != "" && p.rest[0] != '<' {
		switch quote := p.rest[0]; {
		case quote == '>':
			p.take(1, "")
			return
		case quote == '"' || quote == '\'':
			p.take(p.upTo(1, string(quote)), "s")
		case isWordStart(p.rest):
			p.take(span(p.rest, name), "f")
		default:
			_, size := utf8.DecodeRuneInString(p.rest)
			p.take(size, "")
		}
	}
}

func (p *painter) diff() {
	for p.rest != "" {
		length := lineLength(p.rest)
		class := map[byte]string{'+': "i", '-': "d", '@': "k"}[p.rest[0]]
		p.take(length, class)
		p.take(min(1, len(p.rest)), "") // the line's end
	}
}

// span is how many bytes at the front are of characters that fit.
func span(text string, fits func(rune) bool) int {
	for at, r := range text {
		if !fits(r) {
			return at
		}
	}
	return len(text)
}

func lineLength(text string) int {
	if at := strings.IndexByte(text, '\n'); at >= 0 {
		return at
	}
	return len(text)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isWordStart(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return r == '_' || r == '@' || r == '#' || r == '!' || unicode.IsLetter(r)
}
