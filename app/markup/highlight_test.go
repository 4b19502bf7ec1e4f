package markup

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"time"
)

// spanPattern matches a highlighted token.
var spanPattern = regexp.MustCompile(`(?s)<span class="(.)">(.*?)</span>`)

func TestCodeIsHighlighted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ language, code, want string }{
		{"go", "// a <b>\nreturn x(\"a\", 0x1f)", "[c// a <b>]\n[kreturn] [fx]([s\"a\"], [n0x1f])"},
		{"python", "def f():\n  pass # c", "[kdef] [ff]():\n  [kpass] [c# c]"},
		{"bash", "export A=1 # c", "[fexport] A=[n1] [c# c]"},
		{"sql", "SELECT 'it', 1 -- c", "[kSELECT] [s'it'], [n1] [c-- c]"},
		{"YML", "a: 1 # c", "[ka]: [n1] [c# c]"},
		{"diff", "@@ 1 @@\n-a\n+b\n c", "[k@@ 1 @@\n][d-a\n][i+b\n] c"},
		{"unknown", "if a < b", "if a < b"},
		{"", "if", "if"},
	} {
		got := ""
		for range 100 { // on a busy machine, a match may exceed maxMatchTime and remain plain
			highlighted := highlight(test.language, test.code, new(time.Minute))
			if got = html.UnescapeString(spanPattern.ReplaceAllString(highlighted, "[$1$2]")); got == test.want {
				break
			}
		}
		if got != test.want {
			t.Errorf("%s %q: got\n%s, want\n%s", test.language, test.code, got, test.want)
		}
	}
}

func TestHighlightingStopsAtBudget(t *testing.T) {
	t.Parallel()
	code := strings.Repeat("return x\n", 400)
	whole := highlight("go", code, new(time.Minute))
	budget := 100 * time.Microsecond
	partial := highlight("go", code, &budget)
	if budget > 0 || len(partial) >= len(whole) {
		t.Errorf("%v of the budget is left, want 0; got %d bytes, want fewer than the %d with a larger budget", budget, len(partial), len(whole))
	}
	if got := highlight("go", code, &budget); got != code {
		t.Errorf("without a budget: got %q, want the code unchanged", got)
	}
}

// This test is not parallel, because it measures time.
func TestHighlightingBoundsEachMatch(t *testing.T) {
	took := time.Hour
	for range 3 { // the machine may be busy
		began := time.Now()
		highlight("bash", `a="`+strings.Repeat(`\`, 3000), new(maxHighlightTime)) // 2^1500 ways to match
		took = min(took, time.Since(began))
	}
	if took > 200*time.Millisecond { // about 5 ms on an idle machine
		t.Errorf("highlighting took %v, want at most 200 ms", took)
	}
}

func TestHighlightingKeepsEveryCharacter(t *testing.T) {
	t.Parallel()
	units := strings.Fields("a \" ( { <a <!-- /* -- ''' \\\" é [ # ` @")
	for _, language := range []string{"go", "js", "python", "html", "markdown", "diff", "perl", "sh"} {
		for _, unit := range append(units, "\r\n", "\t \n") {
			expectSameCode(t, language, strings.Repeat(unit, 4000/len(unit)))
		}
	}
}

func FuzzHighlight(f *testing.F) {
	f.Add("go", "func main() {}")
	f.Add("html", "<a b='c")
	f.Add("diff", "+a\n-b")
	f.Fuzz(func(t *testing.T, language, code string) { expectSameCode(t, language, code) })
}

// expectSameCode fails the test if highlighting does more than add spans.
func expectSameCode(t *testing.T, language, code string) {
	t.Helper()
	highlighted := highlight(language, code, new(maxHighlightTime))
	if plain := regexp.MustCompile(`<span class="[kscnftid]">|</span>`).ReplaceAllString(highlighted, ""); plain != html.EscapeString(code) {
		t.Fatalf("%s %q: got %q, want only spans added to the escaped code", language, code, highlighted)
	}
}
