package main

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var guestNow = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func TestGuestTokenComesBack(t *testing.T) {
	for _, name := range []string{"Ada", "Ada Lovelace", "日本語 の 名前", "a.b|c;d\"e", "👍"} {
		guest, err := newGuest(name)
		if err != nil {
			t.Fatal(err)
		}
		token := newGuests([]byte("0123456789abcdef")).Token(guest, guestNow)
		// Another server with the same secret, a little before it expires.
		got, expiry, err := newGuests([]byte("0123456789abcdef")).Guest(token, guestNow.Add(guestTokenLife-time.Second))
		if err != nil || got != guest || !expiry.Equal(guestNow.Add(guestTokenLife)) {
			t.Errorf("%q: got %v until %v, %v", name, got, expiry, err)
		}
		if strings.Trim(token, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" {
			t.Errorf("%q: token %q does not fit in a cookie", name, token)
		}
	}
}

func TestGuestTokenExpires(t *testing.T) {
	g := newGuests([]byte("0123456789abcdef"))
	ada, _ := newGuest("Ada")
	_, _, err := g.Guest(g.Token(ada, guestNow), guestNow.Add(guestTokenLife))
	if !errors.Is(err, errTokenExpired) {
		t.Errorf("got %v", err)
	}
}

func TestGuestTokenCannotBeForged(t *testing.T) {
	g := newGuests([]byte("0123456789abcdef"))
	ada, _ := newGuest("Ada")
	token := g.Token(ada, guestNow)
	for i := range len(token) {
		for _, c := range []byte("A.-0") {
			changed := token[:i] + string(c) + token[i+1:]
			if got, _, err := g.Guest(changed, guestNow); changed != token && !errors.Is(err, errTokenInvalid) {
				t.Fatalf("byte %d changed to %c: got %v, %v", i, c, got, err)
			}
		}
	}
	if _, _, err := newGuests([]byte("another secret!!")).Guest(token, guestNow); !errors.Is(err, errTokenInvalid) {
		t.Errorf("another secret: %v", err)
	}
	others := []string{
		"", ".", "...", "1.", token + ".", "." + token, token[:len(token)-1], token + "=", strings.TrimPrefix(token, "1."),
		g.signed("2." + strings.TrimPrefix(token[:strings.LastIndex(token, ".")], "1.")),
		g.signed("1.not-a-uuid.QWRh.99999999999"), g.signed("1." + ada.ID + ".!.99999999999"),
		g.signed("1." + ada.ID + ".QWRh.soon"), g.signed("1." + ada.ID + ".QWRh"), g.signed("1." + ada.ID + ".QWRh.99999999999.x"),
	}
	for _, other := range others {
		if got, _, err := g.Guest(other, guestNow); !errors.Is(err, errTokenInvalid) {
			t.Errorf("%q: got %v, %v", other, got, err)
		}
	}
}

// signed is a claim with a good signature, as an older or newer Burble could make it.
func (g *guests) signed(claim string) string { return claim + "." + g.sign(claim) }

func FuzzGuestToken(f *testing.F) {
	g := newGuests([]byte("0123456789abcdef"))
	f.Add(g.Token(Guest{ID: "7f5cb5d4-2ef4-4a70-bb6a-0b4a4a3b1f0e", Name: "Ada"}, guestNow), "1.a.b.3")
	f.Add("", "1.7f5cb5d4-2ef4-4a70-bb6a-0b4a4a3b1f0e.QWRh.99999999999")
	f.Add("1...", "")
	f.Fuzz(func(t *testing.T, token, claim string) {
		if guest, _, err := g.Guest(token, guestNow); err == nil && g.Token(guest, guestNow) != token {
			t.Errorf("%q was taken for %v", token, guest)
		}
		// Nothing that was signed may do worse than be refused.
		guest, _, err := g.Guest(g.signed(claim), guestNow)
		if err == nil && guest.ID == "" {
			t.Errorf("%q is a guest without an ID", claim)
		}
	})
}

func TestGuestName(t *testing.T) {
	tests := []struct{ name, given, want string }{
		{"plain", "Ada", "Ada"},
		{"spaces are collapsed", "  Ada \u00a0\u3000 Lovelace ", "Ada Lovelace"},
		{"compatibility forms are folded", "Ａｄａ ①", "Ada 1"},
		{"accents are composed", "Ame\u0301lie", "Amélie"},
		{"other scripts", "Ада Лавлейс 愛達", "Ада Лавлейс 愛達"},
		{"emoji", "Ada 👍", "Ada 👍"},
		{"emoji with a variation selector", "Ada ❤️", "Ada ❤"},
		{"case is kept", "aDA", "aDA"},
		{"one letter", "A", "A"},
		{"40 emoji", strings.Repeat("🙌", 40), strings.Repeat("🙌", 40)},
		{"Arabic", "ليلى", "ليلى"},
		{"Hebrew with all its points", "שָּׁלוֹם", "שָּׁלוֹם"},
		{"40 characters", strings.Repeat("ä", 40), strings.Repeat("ä", 40)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got, err := newGuestName(test.given); err != nil || got != test.want {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestGuestNameRefused(t *testing.T) {
	tests := []struct{ name, given, says string }{
		{"empty", "", "empty"},
		{"spaces", " \t\n\u3000", "empty"},
		{"41 characters", strings.Repeat("ä", 41), "40"},
		{"41 characters after normalising", strings.Repeat("ﷺ", 3), "40"},
		{"a megabyte", strings.Repeat("a", 1<<20), "40"},
		{"not UTF-8", "Ada\xff", "UTF-8"},
		{"line break", "Ada\nBob", "U+000A"},
		{"NUL", "Ada\x00", "U+0000"},
		{"turned around", "Ada\u202eboB", "U+202E"},
		{"isolated direction", "Ada\u2066boB", "U+2066"},
		{"zero-width space", "A\u200bda", "U+200B"},
		{"zero-width joiner", "A\u200dda", "U+200D"},
		{"byte order mark", "\ufeffAda", "U+FEFF"},
		{"soft hyphen", "A\u00adda", "U+00AD"},
		{"tag characters", "Ada\U000e0041", "U+E0041"},
		{"private use", "Ada\ue000", "U+E000"},
		{"unassigned", "Ada\u0378", "U+0378"},
		{"Hangul filler", "\u3164", "invisible"},
		{"Braille blank", "\u2800", "U+2800"},
		{"only accents", "\u0301\u0323\u0489", "seen"},
		{"as if it were tagged", "Ada ·9c0", "misplaced"}, // RFC 5892, A.3: that dot belongs between two l
		{"a pile of accents", "A" + strings.Repeat("\u0301", 5), "pile"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := newGuestName(test.given)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func FuzzGuestName(f *testing.F) {
	for _, seed := range []string{"Ada", " a  b ", "Ａ①", "\u202e", "\u3164", "\xff", "ﷺ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, given string) {
		name, err := newGuestName(given)
		if err != nil {
			return
		}
		if n := utf8.RuneCountInString(name); n < 1 || n > guestNameMax || !utf8.ValidString(name) {
			t.Errorf("%q became %q", given, name)
		}
		if again, err := newGuestName(name); err != nil || again != name {
			t.Errorf("%q became %q and then %q, %v", given, name, again, err)
		}
	})
}
