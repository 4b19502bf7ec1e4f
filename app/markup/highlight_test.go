package markup

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestCodeIsColoured(t *testing.T) {
	for _, test := range []struct{ language, code, want string }{
		{"go", "// a <b>\nreturn x(\"a\", 0x1f)", "[c// a <b>]\n[kreturn] [fx]([s\"a\"], [n0x1f])"},
		{"python", "def f():\n  pass # c", "[kdef] [ff]():\n  [kpass] [c# c]"},
		{"bash", "export A=1 # c", "[fexport] A=[n1] [c# c]"},
		{"sql", "SELECT 'it', 1 -- c", "[kSELECT] [s'it'], [n1] [c-- c]"},
		{"YML", "a: 1 # c", "[ka]: [n1] [c# c]"},
		{"diff", "@@ 1 @@\n-a\n+b\n c", "[k@@ 1 @@\n][d-a\n][i+b\n] c"},
		{"gargoyle", "if a < b", "if a < b"},
		{"", "if", "if"},
	} {
		got := regexp.MustCompile(`<span class="(.)">(.*?)</span>`).ReplaceAllString(
			strings.ReplaceAll(highlight(test.language, test.code, new(time.Minute)), "\n", "\x00"), "[$1$2]")
		if got = html.UnescapeString(strings.ReplaceAll(got, "\x00", "\n")); got != test.want {
			t.Errorf("%s %q is\n%s, want\n%s", test.language, test.code, got, test.want)
		}
	}
}

func TestColouringEndsWithItsTime(t *testing.T) {
	code := strings.Repeat("return x\n", 400)
	whole := highlight("go", code, new(time.Minute))
	left := 100 * time.Microsecond
	cut := highlight("go", code, &left)
	if left > 0 || len(cut) >= len(whole) {
		t.Errorf("%v are left, of %d bytes there are %d", left, len(whole), len(cut))
	}
	if got := highlight("go", code, &left); got != code {
		t.Errorf("coloured without time: %q", got)
	}
	took := time.Hour
	for range 3 { // others use the machine too
		began := time.Now()
		highlight("bash", `a="`+strings.Repeat(`\`, 3000), new(highlightTime)) // 2^1500 ways to match
		took = min(took, time.Since(began))
	}
	if took > 200*time.Millisecond { // it is about 5 ms
		t.Errorf("one expression took %v", took)
	}
}

// Colours add spans, and change nothing else, whatever the code.
func TestColouringChangesNoCharacter(t *testing.T) {
	units := strings.Fields("a \" ( { <a <!-- /* -- ''' \\\" é [ # ` @")
	for _, name := range []string{"go", "js", "python", "html", "markdown", "diff", "perl", "sh"} {
		for _, unit := range append(units, "\r\n", "\t \n") {
			expectSameCode(t, name, strings.Repeat(unit, 4000/max(1, len(unit))))
		}
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
	coloured := highlight(language, code, new(highlightTime))
	if plain := regexp.MustCompile(`<span class="[kscnftid]">|</span>`).ReplaceAllString(coloured, ""); plain != html.EscapeString(code) {
		t.Fatalf("%s %q became %q", language, code, coloured)
	}
}
