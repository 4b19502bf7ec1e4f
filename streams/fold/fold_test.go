package fold

import (
	"slices"
	"strings"
	"testing"
)

func TestStringFoldsVariants(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"naive", "naïve", "NAÏVE", "nai\u0308ve", "ｎａｉｖｅ", "na\u00adive", "na\u200bive"},
		{"a b", "a\u00a0b", "a\u202fb", "a\u3000b", "a \t\n b", " a b "},
		{"don't", "don’t", "don‘t", "donʼt", "don´t", "don`t", "don＇t", "DON'T"},
		{`"x" - y`, "“x” – y", "„x“ — y", "«x» − y", "＂x＂ ‑ y"},
		{"Σωκράτης", "ΣΩΚΡΆΤΗΣ", "ΣΩΚΡΑΤΗΣ", "σωκρατησ"},
		{"strasse", "Straße", "STRASSE", "STRAẞE"},
		{"istanbul", "İstanbul", "Istanbul", "ıstanbul"},
		{"soren lodz aeon", "Søren Łódź Æon"},
		{"élève ångström", "eleve angstrom", "e\u0301le\u0300ve A\u030angstro\u0308m"},
		{"ёлка", "елка", "ЁЛКА"},
		{"fi", "ﬁ", "ﬁ"},
		{"カタカナ", "ｶﾀｶﾅ"}, {"ガ", "ｶﾞ", "カ\u3099"},
		{"한글", "\u1112\u1161\u11ab\u1100\u1173\u11af"},
		{"מָנוֹחַ", "מנוח"}, {"مُحَمَّد", "محمد", "محـمد"},
		{"❤️", "❤"},
	} {
		for _, other := range same[1:] {
			if String(other) != String(same[0]) {
				t.Errorf("String(%q) = %q, want %q, which is String(%q)", other, String(other), String(same[0]), same[0])
			}
		}
	}
	for _, different := range [][2]string{
		{"й", "и"}, {"か", "が"}, {"ハ", "パ"}, {"कि", "क"}, {"กา", "กี"}, {"가", "각"}, {"Ada", "Аda"}, {"a", "ab"}, {"1", "l"},
	} {
		if String(different[0]) == String(different[1]) {
			t.Errorf("String(%q) = String(%q) = %q, want different results", different[0], different[1], String(different[0]))
		}
	}
}

func TestFindReturnsRangesInOriginal(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text, term string
		want       []string
	}{
		{"A naïve NAI\u0308VE one", "naive", []string{"naïve", "NAI\u0308VE"}},
		{"I don’t", "don't", []string{"don’t"}},
		{"10\u00a0\u00a0km", "10 km", []string{"10\u00a0\u00a0km"}},
		{"Die Straße", "strasse", []string{"Straße"}},
		{"Die Straße", "stras", nil},
		{"각 가", "가", []string{"가"}},
		{"がか", "か", []string{"か"}},
		{"aaa", "aa", []string{"aa"}},
		{"x", "", nil},
	} {
		var got []string
		for _, place := range Map(test.text).Find(String(test.term), 9) {
			got = append(got, test.text[place[0]:place[1]])
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("Map(%q).Find(%q) found %q, want %q", test.text, test.term, got, test.want)
		}
	}
	if got := Map("a a a").Find("a", 2); len(got) != 2 {
		t.Errorf("Find with limit 2: got %v, want 2 matches", got)
	}
}

func FuzzFind(f *testing.F) {
	f.Add("naïve don’t 각", "aï")
	f.Fuzz(func(t *testing.T, text, term string) {
		if once := String(text); String(once) != once {
			t.Errorf("String(%q) = %q, but String(%q) = %q", text, once, once, String(once))
		}
		for _, place := range Map(text).Find(String(term), 9) {
			if got := String(text[place[0]:place[1]]); !strings.Contains(got, String(term)) {
				t.Errorf("Map(%q).Find(%q) found %q, which does not contain the term", text, term, got)
			}
		}
	})
}

func BenchmarkMap(b *testing.B) {
	text := strings.Repeat("Meet tomorrow at noon, naïve Ångström. ", 4)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Map(text)
	}
}
