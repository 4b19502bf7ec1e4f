package identity

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestName(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, given, want string }{
		{"plain", "Ada", "Ada"},
		{"spaces are collapsed", "  Ada \u00a0\u3000 Lovelace ", "Ada Lovelace"},
		{"compatibility forms are folded", "Ａｄａ ①", "Ada 1"},
		{"accents are composed", "Ame\u0301lie", "Amélie"},
		{"other scripts", "Ада Лавлейс 愛達", "Ада Лавлейс 愛達"},
		{"emoji", "Ada 👍", "Ada 👍"},
		{"emoji with a variation selector", "Ada ❤️", "Ada ❤"},
		{"several emoji joined into one", "Ada 👩\u200d💻 👩🏽\u200d❤\ufe0f\u200d👨🏻", "Ada 👩\u200d💻 👩🏽\u200d❤\u200d👨🏻"},
		{"Persian with a non-joiner", "می\u200cخواهم", "می\u200cخواهم"},
		{"Malayalam that ends with a joiner", "പ്രവീണ്\u200d", "പ്രവീണ്\u200d"},
		{"Sinhala with a joiner", "ශ්\u200dරී", "ශ්\u200dරී"},
		{"case is kept", "aDA", "aDA"},
		{"one letter", "A", "A"},
		{"40 emoji", strings.Repeat("🙌", 40), strings.Repeat("🙌", 40)},
		{"Arabic", "ليلى", "ليلى"},
		{"Hebrew with all its points", "שָּׁלוֹם", "שָּׁלוֹם"},
		{"40 characters", strings.Repeat("ä", 40), strings.Repeat("ä", 40)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got, err := cleanName(test.given); err != nil || got != test.want {
				t.Errorf("cleanName(%q) = %q, %v; want %q", test.given, got, err, test.want)
			}
		})
	}
}

func TestNameRefused(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, given, message string }{
		{"empty", "", "empty"},
		{"spaces", " \t\n\u3000", "empty"},
		{"41 characters", strings.Repeat("ä", 41), "40"},
		{"41 characters after normalization", strings.Repeat("ﷺ", 3), "40"},
		{"a megabyte", strings.Repeat("a", 1<<20), "40"},
		{"not UTF-8", "Ada\xff", "UTF-8"},
		{"line break", "Ada\nBob", "U+000A"},
		{"NUL", "Ada\x00", "U+0000"},
		{"direction override", "Ada\u202eboB", "U+202E"},
		{"isolated direction", "Ada\u2066boB", "U+2066"},
		{"zero-width space", "A\u200bda", "U+200B"},
		{"zero-width joiner", "A\u200dda", "U+200D"},
		{"zero-width joiner between plus signs", "C+\u200d+", "U+200D"},
		{"zero-width joiner after an emoji", "👩\u200d", "misplaced"},
		{"zero-width joiner before a letter", "👩\u200da", "misplaced"},
		{"two zero-width joiners", "👩\u200d\u200d💻", "misplaced"},
		{"zero-width joiner between symbols of letters", "⑴\u200d⑴", "misplaced"},
		{"zero-width non-joiner between Hebrew letters", "ש\u200cר", "U+200C"},
		{"zero-width non-joiner where letters do not join", "د\u200cد", "misplaced"},
		{"byte order mark", "\ufeffAda", "U+FEFF"},
		{"soft hyphen", "A\u00adda", "U+00AD"},
		{"tag characters", "Ada\U000e0041", "U+E0041"},
		{"private use", "Ada\ue000", "U+E000"},
		{"unassigned", "Ada\u0378", "U+0378"},
		{"Hangul filler", "\u3164", "invisible"},
		{"Braille blank", "\u2800", "U+2800"},
		{"only accents", "\u0301\u0323\u0489", "visible"},
		{"misplaced middle dot", "Ada ·9c0", "misplaced"}, // RFC 5892, A.3: allowed only between two l's
		{"stacked accents", "A" + strings.Repeat("\u0301", 5), "three marks"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := cleanName(test.given)
			if err == nil || !strings.Contains(err.Error(), test.message) {
				t.Errorf("cleanName(%q) = %q, %v; want an error that contains %q", test.given, got, err, test.message)
			}
		})
	}
}

func FuzzName(f *testing.F) {
	for _, seed := range []string{"Ada", " a  b ", "Ａ①", "\u202e", "\u3164", "\xff", "ﷺ", "👩\u200d💻", "ශ්\u200dරී"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, given string) {
		name, err := cleanName(given)
		if err != nil {
			return
		}
		if n := utf8.RuneCountInString(name); n < 1 || n > MaxName || !utf8.ValidString(name) {
			t.Errorf("cleanName(%q) = %q, want 1 to %d valid characters", given, name, MaxName)
		}
		if again, err := cleanName(name); err != nil || again != name {
			t.Errorf("cleanName(%q) = %q, %v, want no change, because cleanName(%q) returned it", name, again, err, given)
		}
	})
}
