package protocol

import (
	"strings"
	"testing"
)

func TestTextMustHaveVisibleCharacter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"x": true, " x ": true, "\u200bx": true, "👍": true, "é": true, "你": true, "\u0301": true, "\ue000": true, "\U0001FAFF": true, "\ufffd": true, ".": true,
		"": false, " ": false, "\n\t": false, "\u00a0": false, "\u200b": false, "\u200d\u2060\ufeff": false, "\u3164": false, "\u115f": false,
		"\ufe0f": false, "\u2800": false, "\u202e \u2028": false, "\u00ad": false, "\x00\x7f": false, "\U000e0041": false,
	} {
		if _, err := CheckText(text); (err == nil) != want {
			t.Errorf("%q: error %v, want valid %v", text, err, want)
		}
	}
	if _, err := CheckText(" "); !strings.Contains(err.Error(), "visible") {
		t.Errorf("blank text: got error %q, want one that contains \"visible\"", err)
	}
}

func TestReactionMustBeOneEmoji(t *testing.T) {
	t.Parallel()
	for emoji, want := range map[string]bool{
		"👍": true, "👍🏽": true, "❤️": true, "👩‍👩‍👧‍👦": true, "🏴󠁧󠁢󠁳󠁣󠁴󠁿": true, "🇺🇳": true, "1️⃣": true, "#⃣": true, "ℹ️": true, "‼️": true,
		"™": true, "▪": true, "\U0001FAE9": true, "🧑🏻‍❤️‍💋‍🧑🏼": true,
		"": false, "1": false, "#*": false, "a": false, "é": false, "hello": false, "👍 👎": false, "👍\n": false, "\u200d": false,
		"👍\u202e": false, "👍\u200b": false, "<b>": false, "𝐇𝐢": false, "\ufffd": false, "ا": false, "👍a": false, "\u0301": false,
		strings.Repeat("👍", 2): false, "🇺🇳🇺🇳": false, "🇺": false, "🏽": false, "👍\u200d": false, "\u200d👍": false, "\u20e3": false,
		"👍\ufe0e": false, "⭐\ufe0f\ufe0f": false, "👍1": false, "1️⃣1️⃣": false, "👩‍": false,
	} {
		if _, err := checkEmoji(emoji); (err == nil) != want {
			t.Errorf("%q: error %v, want valid %v", emoji, err, want)
		}
	}
}
