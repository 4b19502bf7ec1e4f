package protocol

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// joiner is the zero-width joiner, which combines the emoji on both sides into one.
const joiner = '\u200d'

// isEmoji reports whether text could be one emoji, that is, a single grapheme cluster (UAX #29) of
// symbols and characters that join or modify symbols. It accepts unassigned characters, because a later
// version of Unicode may define them as emoji. It never accepts letters, or characters that reverse or
// hide text.
func isEmoji(text string) bool {
	symbols, flagHalves, last := 0, 0, joiner // the start counts as a joiner, because a modifier is invalid after either
	for _, r := range text {
		switch {
		case r == '\ufe0f' && last == r:
			return false
		case strings.ContainsRune("0123456789#*", r): // the base of a keycap
		case r == joiner, r == '\ufe0f', r >= 0xe0020 && r <= 0xe007f: // joiner, emoji variation selector, tags of flags
		case last == joiner && symbols == 0 && (r == '\u20e3' || r >= 0x1f3fb && r <= 0x1f3ff): // a keycap or skin tone that modifies nothing
			return false
		case r == '\u20e3', r == 'ℹ': // the keycap, and the only letter that is an emoji
			symbols++
		case r < 0x80, r == utf8.RuneError, unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.Z, unicode.Cc, unicode.Cf, unicode.Co):
			return false
		default:
			symbols++
			if r >= 0x1f1e6 && r <= 0x1f1ff {
				flagHalves++
			}
		}
		last = r
	}
	return symbols > 0 && flagHalves != 1 && last != joiner && uniseg.GraphemeClusterCount(text) == 1
}
