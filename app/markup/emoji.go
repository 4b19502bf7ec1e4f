package markup

// MaxEmoji is the maximum length of an emoji in bytes. The longest one in Unicode 16 has 35.
const MaxEmoji = 64

// isOnlyEmoji reports whether text consists of one to three emoji and nothing else but spaces.
func isOnlyEmoji(text string) bool {
	if len(text) > 3*MaxEmoji {
		return false
	}
	count, joined, flag := 0, false, false
	for _, r := range text {
		switch {
		case r == '\u200d':
			joined = count > 0
		case r == '\ufe0f', r >= 0x1f3fb && r <= 0x1f3ff, r >= 0xe0020 && r <= 0xe007f: // variation selector, skin tone, tag of a flag
			if count == 0 {
				return false
			}
		case r >= 0x1f1e6 && r <= 0x1f1ff: // a pair makes a flag
			if flag = !flag; flag {
				count++
			}
		case r >= 0x1f000, r >= 0x2600 && r < 0x27c0, r >= 0x2b00 && r < 0x2c00, r >= 0x2300 && r < 0x2400:
			if !joined {
				count++
			}
			joined = false
		case r == ' ':
			joined = false
		default:
			return false
		}
	}
	return count > 0 && count <= 3 && !joined
}
