// Package fold compares texts as people do. It ignores case, diacritics, width and invisible characters,
// and treats all kinds of apostrophes, quotation marks, dashes and spaces alike.
//
//	fold.String("Naïve\u00a0Ångström") == "naive angstrom"
//
// It decomposes characters (Unicode's NFKD), folds case, and drops marks in scripts whose readers often
// omit them. It keeps the marks of other scripts, such as the vowels of Devanagari, and the breve of й,
// which is a separate letter.
//
// All functions are safe for concurrent use.
package fold

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// String returns the folded text, without white space at either end. Two texts look the same to people if
// their folded texts are equal.
func String(text string) string { return strings.TrimSpace(Map(text).Folded) }

// IsWord reports whether r is part of a word: a letter, a digit, or a mark.
func IsWord(r rune) bool { return unicode.In(r, unicode.L, unicode.M, unicode.N) }

// IsSpacedWord reports whether r is part of a word in a script that separates words with spaces.
func IsSpacedWord(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	}
	return IsWord(r) && !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo, unicode.Hangul,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan) && r != 'ー'
}

// Text is a folded text, with the position in the original of each of its characters.
type Text struct {
	Folded string

	origins []int // for each byte of Folded, its offset in the original; then the original's length
}

// Map folds text.
func Map(text string) Text {
	folded := make([]byte, 0, len(text)+8)
	origins := make([]int, 0, len(text)+8)
	var segments norm.Iter
	for at := 0; at < len(text); {
		if isASCII(text, at) { // no mark combines with it
			folded = appendASCII(folded, text[at])
			origins = extend(origins, len(folded), at)
			at++
			continue
		}
		end := at
		for end < len(text) && !isASCII(text, end) {
			end++
		}
		for segments.InitString(norm.NFKD, text[at:end]); !segments.Done(); {
			origin := at + segments.Pos()
			if strings.HasPrefix(text[origin:], "´") { // it decomposes to a space and a mark
				segments.Next()
				folded = append(folded, '\'')
			} else {
				folded = appendFolded(folded, segments.Next())
			}
			origins = extend(origins, len(folded), origin)
		}
		at = end
	}
	return Text{string(folded), append(origins, len(text))}
}

// isASCII reports whether the text has an ASCII character at the offset, without a mark on it.
func isASCII(text string, at int) bool {
	return text[at] < utf8.RuneSelf && (at+1 == len(text) || text[at+1] < utf8.RuneSelf)
}

func extend(origins []int, length, origin int) []int {
	for len(origins) < length {
		origins = append(origins, origin)
	}
	return origins
}

func appendASCII(folded []byte, c byte) []byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return append(folded, c+'a'-'A')
	case c == '`':
		return append(folded, '\'')
	case c == ' ' || c >= '\t' && c <= '\r':
		if len(folded) > 0 && folded[len(folded)-1] == ' ' {
			return folded
		}
		return append(folded, ' ')
	case c < ' ' || c == 0x7f:
		return folded
	}
	return append(folded, c)
}

// appendFolded appends a decomposed segment of text.
func appendFolded(folded, segment []byte) []byte {
	for _, r := range string(segment) {
		if unicode.IsSpace(r) || unicode.Is(unicode.Z, r) {
			if len(folded) > 0 && folded[len(folded)-1] == ' ' {
				continue
			}
			r = ' '
		}
		if last, _ := utf8.DecodeLastRune(folded); isIgnored(r) && !(r == breve && last == 'и') {
			continue
		}
		r = unicode.ToLower(unicode.ToUpper(r)) // such as ς and σ
		if same, ok := equivalents[r]; ok {
			folded = append(folded, same...)
		} else {
			folded = utf8.AppendRune(folded, r)
		}
	}
	return folded
}

const breve = '\u0306'

// isIgnored reports whether r is invisible, or a mark on a Latin, Greek, Cyrillic, Hebrew or Arabic
// letter.
func isIgnored(r rune) bool {
	if r < 0xad {
		return r < ' ' || r == 0x7f
	}
	if unicode.In(r, unicode.Mn, unicode.Me) {
		const voiced, semiVoiced = '\u3099', '\u309a' // of Kana, such as か and が
		return r != voiced && r != semiVoiced &&
			unicode.In(r, unicode.Inherited, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Hebrew, unicode.Arabic)
	}
	const tatweel = '\u0640'
	return r == tatweel || unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point)
}

// equivalents lists replacements for characters that Unicode does not decompose.
var equivalents = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d", 'ł': "l", 'ħ': "h", 'ŧ': "t", 'þ': "th",
	'‘': "'", '’': "'", '‚': "'", '‛': "'", 'ʼ': "'", 'ʻ': "'", 'ʹ': "'", '′': "'", '‵': "'", '`': "'", '׳': "'",
	'“': `"`, '”': `"`, '„': `"`, '‟': `"`, '«': `"`, '»': `"`, '״': `"`, '〝': `"`, '〞': `"`,
	'‐': "-", '‑': "-", '‒': "-", '–': "-", '—': "-", '―': "-", '−': "-", '⁃': "-",
}

// Find returns up to limit ranges of the original text that match the folded term, as pairs of byte
// offsets. The ranges do not overlap, and never begin or end inside a character of the original, such as
// between the letters of 가.
func (t Text) Find(term string, limit int) (found [][2]int) {
	for at := 0; term != "" && len(found) < limit; {
		i := strings.Index(t.Folded[at:], term)
		if i < 0 {
			break
		}
		start, end := at+i, at+i+len(term)
		if at = start + 1; t.isBoundary(start) && t.isBoundary(end) {
			found = append(found, [2]int{t.origins[start], t.origins[end]})
			at = end
		}
	}
	return found
}

// isBoundary reports whether a character of the original begins at this offset in Folded, or the text
// ends there.
func (t Text) isBoundary(at int) bool {
	return at == 0 || at == len(t.Folded) || t.origins[at] != t.origins[at-1]
}
