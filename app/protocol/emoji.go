package protocol

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// isEmoji reports whether text could be one emoji: a single grapheme cluster (UAX #29) of
// symbols and of the characters that join and modify them. Unassigned characters are
// accepted, because they may be emoji next year; letters and characters that reverse or
// hide text never are.
func isEmoji(text string) bool {
	symbols, halves, last := 0, 0, joiner
	for _, r := range text {
		switch {
		case r == '\ufe0f' && last == r:
			return false
		case strings.ContainsRune("0123456789#*", r): // a keycap follows
		case r == joiner, r == '\ufe0f', r >= 0xe0020 && r <= 0xe007f: // the emoji's form, tags of flags
		case last == joiner && symbols == 0 && (r == '\u20e3' || r >= 0x1f3fb && r <= 0x1f3ff): // these change what is before
			return false
		case r == '\u20e3', r == 'ℹ': // the keycap, and the one letter
			symbols++
		case r < 0x80, r == utf8.RuneError, unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.Z, unicode.Cc, unicode.Cf, unicode.Co):
			return false
		default:
			symbols++
			if r >= 0x1f1e6 && r <= 0x1f1ff {
				halves++ // of a flag
			}
		}
		last = r
	}
	return symbols > 0 && halves != 1 && last != joiner && uniseg.GraphemeClusterCount(text) == 1
}

// joiner, the zero-width joiner, makes one emoji of the two around it.
const joiner = '\u200d'
