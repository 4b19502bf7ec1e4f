package main

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestCodeIsColoured(t *testing.T) {
	for _, test := range []struct{ language, code, want string }{
		{"go", "// a <b>\nreturn x(\"a\\\"b\", 0x1f) // c", "[c// a <b>]\n[kreturn] [fx]([s\"a\\\"b\"], [n0x1f]) [c// c]"},
		{"TS", "const a: Thing = `x\ny`", "[kconst] a: [tThing] = [s`x\ny`]"},
		{"c", "#include <x.h>\nint a = '\\''; /* b\nc */ d", "[k#include] <x.h>\n[kint] a = [s'\\'']; [c/* b\nc */] d"},
		{"python", "@cache\ndef f():\n  '''a\n  b''' # c", "@cache\n[kdef] [ff]():\n  [s'''a\n  b'''] [c# c]"},
		{"bash", "export A=\"$b\" # c", "[kexport] A=[s\"$b\"] [c# c]"},
		{"sql", "SELECT 'it''s', 1 -- c", "[kSELECT] [s'it'][s's'], [n1] [c-- c]"},
		{"json", `{"a": [true, 1.5, "b"]}`, `{[f"a"]: [[ntrue], [n1.5], [s"b"]]}`},
		{"yaml", "a-b: yes # c", "[fa-b]: [kyes] [c# c]"},
		{"html", `<a href="x>y" hidden>z</a><!-- c -->`, `<[ka] [fhref]=[s"x>y"] [fhidden]>z</[ka]>[c<!-- c -->]`},
		{"diff", "@@ 1 @@\n-a\n+b\n c", "[k@@ 1 @@]\n[d-a]\n[i+b]\n c"},
		{"gargoyle", "if a < b", "if a < b"},
		{"", "if", "if"},
		{"rust", "let a = \"unfinished", "[klet] a = [s\"unfinished]"},
		{"go", "\"to the line's end\nx", "[s\"to the line's end]\nx"},
	} {
		got := regexp.MustCompile(`<span class="(.)">(.*?)</span>`).ReplaceAllString(
			strings.ReplaceAll(highlight(test.language, test.code), "\n", "\x00"), "[$1$2]")
		if got = html.UnescapeString(strings.ReplaceAll(got, "\x00", "\n")); got != test.want {
			t.Errorf("%s %q is\n%s, want\n%s", test.language, test.code, got, test.want)
		}
	}
}

// Colours add spans, and change nothing else: whatever the code, and soon.
func TestColouringChangesNoCharacter(t *testing.T) {
	units := strings.Split("a \" ' ` / * ( { < [ \\ # - = $ 0 0x 1. <a </ <!-- /* // -- ''' \"\"\" \\\" a= a( a: é @ ! --[[ ; \n \t", " ")
	began := time.Now()
	for name := range aliases {
		for _, unit := range units {
			expectSameCode(t, name, strings.Repeat(unit, 4000/max(1, len(unit))))
		}
	}
	if took := time.Since(began); took > 20*time.Second { // with -race; it is less than one
		t.Errorf("took %v", took)
	}
}

func FuzzHighlight(f *testing.F) {
	f.Add("go", "func main() {}")
	f.Add("html", "<a b='c")
	f.Add("diff", "+a\n-b")
	f.Fuzz(func(t *testing.T, language, code string) { expectSameCode(t, language, code) })
}

func expectSameCode(t *testing.T, language, code string) {
	t.Helper()
	coloured := highlight(language, code)
	if plain := regexp.MustCompile(`<span class="[kscnftid]">|</span>`).ReplaceAllString(coloured, ""); plain != html.EscapeString(code) {
		t.Fatalf("%s %q became %q", language, code, coloured)
	}
}
