package markup

import (
	"fmt"
	"html"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"burble/app/apptest"
	"burble/streams"

	"golang.org/x/time/rate"
)

// A message that would be nested too deeply or become too large is shown as it was written.
func TestExtremeMarkdownIsShownAsText(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]string{
		"quotes":               strings.Repeat(">", 3980),
		"quotes after a line":  "hello\n" + strings.Repeat("> ", 1900),
		"lists":                strings.Repeat("- ", 1990) + "x",
		"numbered lists":       strings.Repeat("1. ", 1300) + "x",
		"quotes and lists":     strings.Repeat("> - ", 990) + "x",
		"lists that descend":   descending(60),
		"emphasis":             strings.Repeat("*a **b ", 280) + strings.Repeat("** *", 280),
		"email addresses":      strings.Repeat("a@b.co ", 570),
		"links":                strings.Repeat("www.b.co ", 440),
		"addresses in a quote": "> " + strings.Repeat("http://b.co ", 330),
	} {
		want := "<p>" + strings.ReplaceAll(html.EscapeString(source), "\n", "<br>\n") + "</p>"
		if got := renderMarkdown(source); got != want {
			t.Errorf("%s: got %d bytes, want %d: %.200s", name, len(got), len(want), got)
		}
	}
}

func descending(levels int) (list string) {
	for i := range levels {
		list += strings.Repeat("  ", i) + "- x\n"
	}
	return list
}

// The bounds do not affect Markdown as people write it.
func TestOrdinaryMarkdownIsNotBounded(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ source, want string }{
		"a line of dashes":  {"x\n" + strings.Repeat("-", 200), "<p>x</p>\n<hr>"},
		"nested quotes":     {strings.Repeat("> ", 12) + "x", strings.Repeat("<blockquote>\n", 12) + "<p>x</p>\n" + strings.Repeat("</blockquote>\n", 11) + "</blockquote>"},
		"a list of 12":      {descending(12), ""},
		"40 addresses":      {strings.Repeat("see https://example.org/a_long_path/to/a/page.html \n", 40), ""},
		"a table of emails": {strings.Repeat("| Ada Lovelace | ada@example.org | +44 20 7946 0000 |\n", 60), ""},
		"long code":         {"```go\n" + strings.Repeat("if a := f(b, \"c\"); a != nil { return 1 }\n", 90) + "```", ""},
	} {
		got := renderMarkdown(test.source)
		if test.want != "" && got != test.want || got == plainHTML(test.source) {
			t.Errorf("%s: got %.300s, want Markdown: %.300s", name, got, test.want)
		}
	}
}

func TestDenseCodeKeepsItsBlock(t *testing.T) {
	t.Parallel()
	code := strings.Repeat("1+", 1900)
	got := renderMarkdown("```go\n" + code + "\n```")
	if !strings.HasPrefix(got, "<pre><code") || Text(got) != code+"\n" || len(got) > 32<<10 {
		t.Errorf("got %d bytes, want at most 32 KiB with the whole code: %.200s", len(got), got)
	}
}

func TestRenderersWaitForTheirTurn(t *testing.T) {
	var rendering, most atomic.Int32
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			r := Renderer{WaitForSlot: true}
			r.measure(func() string {
				most.Store(max(most.Load(), rendering.Add(1)))
				time.Sleep(time.Millisecond)
				rendering.Add(-1)
				return ""
			})
			r.HTML(&streams.Entry{Text: strings.Repeat("*x*\n", i+1)})
			if r.Spent < time.Millisecond || r.Spent > 10*time.Second {
				t.Errorf("spent %v, want from 1 ms to 10 s", r.Spent)
			}
		})
	}
	all.Wait()
	if int(most.Load()) > cap(slots) {
		t.Errorf("%d rendered at a time, want at most %d", most.Load(), cap(slots))
	}
}

func TestRendererObeysItsLimit(t *testing.T) {
	t.Parallel()
	r := Renderer{TimeLimit: time.Nanosecond}
	first, second := streams.Entry{Text: "*first* of its limit"}, streams.Entry{Text: "*second* <b>"}
	for entry, want := range map[*streams.Entry][]string{
		&first:  {"<p><em>first</em> of its limit</p>", "<p><em>first</em> of its limit</p>"}, // cached
		&second: {"<p>*second* &lt;b&gt;</p>", "<p>*second* &lt;b&gt;</p>"},
	} {
		if entry == &second && r.Spent == 0 {
			r.HTML(&first)
		}
		for _, want := range want {
			if got := r.HTML(entry); got != want {
				t.Errorf("%q: got %s, want %s", entry.Text, got, want)
			}
		}
	}
}

func TestBoundsInDocs(t *testing.T) {
	apptest.ExpectDoc(t, "PROTOCOL.md", fmt.Sprintf("more than %d elements", maxNesting), fmt.Sprintf("%d KiB plus six times the text", maxHTML("")>>10),
		fmt.Sprintf("would exceed %d KiB, or", maxHTML(strings.Repeat("x", 16000))>>10))
}

func TestRenderersShareATimeLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // a clock that only Sleep advances
		shared := rate.NewLimiter(rate.Every(time.Hour), 1000)
		plain := 0
		for i := range 200 {
			r := Renderer{SharedLimit: shared}
			r.measure(func() string { time.Sleep(50 * time.Microsecond); return "" })
			if source := "***shared" + strings.Repeat("x", i) + "***"; r.HTML(&streams.Entry{Text: source}) == plainHTML(source) {
				plain++
			}
		}
		if want := 200 - 1000/50; plain != want {
			t.Errorf("%d of 200 texts are plain, want %d", plain, want)
		}
	})
}
