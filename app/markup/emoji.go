package markup

import (
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

//go:generate sh -c "node emoji_table.mjs > emoji_table.go && gofmt -w emoji_table.go"

// MaxEmoji is the maximum length of an emoji in bytes. The longest one in Unicode 16 has 35.
const MaxEmoji = 64

const (
	textSelector  = '\ufe0e'
	emojiSelector = '\ufe0f'
	keycap        = '\u20e3'
)

// NormalizeEmoji returns an emoji with the variation selectors that Unicode recommends, so that equal
// emoji are equal strings: ☺ and ☺️ are the same.
func NormalizeEmoji(emoji string) string {
	runes := make([]rune, 0, 16)
	for _, r := range emoji {
		if r != emojiSelector && r != textSelector {
			runes = append(runes, r)
		}
	}
	var normal strings.Builder
	for i, r := range runes {
		normal.WriteRune(r)
		next := rune(0)
		if i+1 < len(runes) {
			next = runes[i+1]
		}
		isText := unicode.Is(emojiChars, r) && !unicode.Is(emojiPresentation, r)
		if next == keycap || isText && !isSkinTone(next) {
			normal.WriteRune(emojiSelector)
		}
	}
	return normal.String()
}

func isSkinTone(r rune) bool { return r >= 0x1f3fb && r <= 0x1f3ff }

// isOnlyEmoji reports whether text consists of one to three emoji and nothing else but spaces.
func isOnlyEmoji(text string) bool {
	if len(text) > 3*MaxEmoji {
		return false
	}
	count := 0
	for clusters := uniseg.NewGraphemes(text); clusters.Next(); {
		switch cluster := clusters.Runes(); {
		case len(cluster) == 1 && cluster[0] == ' ':
		case isEmoji(cluster):
			count++
		default:
			return false
		}
	}
	return count > 0 && count <= 3
}

// isEmoji reports whether a grapheme cluster is drawn as an emoji. Symbols such as ☺ are, even without a
// variation selector, but © and ™, which are common in text, need one.
func isEmoji(cluster []rune) bool {
	first, last := cluster[0], cluster[len(cluster)-1]
	if strings.ContainsRune("0123456789#*", first) {
		return last == keycap && (len(cluster) == 2 || len(cluster) == 3 && cluster[1] == emojiSelector)
	}
	if !unicode.Is(emojiChars, first) || last == '\u200d' {
		return false
	}
	flagHalves := 0
	for _, r := range cluster {
		switch {
		case r >= 0x1f1e6 && r <= 0x1f1ff:
			flagHalves++
		case r == textSelector:
			return false
		case !unicode.Is(emojiChars, r) && r != emojiSelector && r != '\u200d' && r != keycap && (r < 0xe0020 || r > 0xe007f):
			return false
		}
	}
	if flagHalves > 0 {
		return flagHalves == 2
	}
	const lastLetterlike = '\u21ff' // including arrows
	return first > lastLetterlike || len(cluster) > 1 && cluster[1] == emojiSelector
}
