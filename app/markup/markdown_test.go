package markup

import (
	"strings"
	"testing"
	"time"

	"burble/app/hostile"
)

// linkRel contains the attributes of every link to another site.
const linkRel = ` rel="nofollow noreferrer noopener" target="_blank"`

func TestMarkdown(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"plain", `hello`, `<p>hello</p>`},
		{"bold, italic, strikethrough", `**a** *b* ~~c~~ __d__ _e_`, `<p><strong>a</strong> <em>b</em> <del>c</del> <strong>d</strong> <em>e</em></p>`},
		{"code", "`<b>` and ``a`b``", "<p><code>&lt;b&gt;</code> and <code>a`b</code></p>"},
		{"a code block", "```\na < b\n\n  c\n```", "<pre><code>a &lt; b\n\n  c\n</code></pre>"},
		{"a code block with a language", "```go\nfunc main() {}\n```", "<pre><code class=\"language-go\"><span class=\"k\">func</span> <span class=\"f\">main</span>() {}\n</code></pre>"},
		{"a code block in an unknown language", "```unknown\na < b\n```", "<pre><code class=\"language-unknown\">a &lt; b\n</code></pre>"},
		{"an indented code block", "    a < b", "<pre><code>a &lt; b\n</code></pre>"},
		{"a long code block is folded", "```\n" + strings.Repeat("x\n", 21) + "```", "<details><summary>21 lines</summary><pre><code>" + strings.Repeat("x\n", 21) + "</code></pre>\n</details>"},
		{"a hostile language name", "```\" onclick=alert(1)\nx\n```", "<pre><code>x\n</code></pre>"},
		{"an unclosed code block", "```\nx", "<pre><code>x\n</code></pre>"},
		{"line breaks are kept", "one\ntwo\r\nthree", "<p>one<br>\ntwo<br>\nthree</p>"},
		{"line breaks of other programs are kept", "one\vtwo\u2028three\u2029four\u0085five\fsix\rseven", "<p>one<br>\ntwo<br>\nthree<br>\nfour<br>\nfive<br>\nsix<br>\nseven</p>"},
		{"a list with line breaks of another program", "- one\u2028- two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>"},
		{"paragraphs", "one\n\ntwo", "<p>one</p>\n<p>two</p>"},
		{"a list", "- one\n- two\n  - three", "<ul>\n<li>one</li>\n<li>two\n<ul>\n<li>three</li>\n</ul>\n</li>\n</ul>"},
		{"a numbered list", "3. three\n4. four", "<ol start=\"3\">\n<li>three</li>\n<li>four</li>\n</ol>"},
		{"a quote", "> first\n> second\n\nreply", "<blockquote>\n<p>first<br>\nsecond</p>\n</blockquote>\n<p>reply</p>"},
		{"a rule", "a\n\n---", "<p>a</p>\n<hr>"},
		{"no headings", "# not a heading", "<p># not a heading</p>"},
		{"no underlined headings", "title\n=====", "<p>title<br>\n=====</p>"},
		{"a hashtag", "#1 is first", "<p>#1 is first</p>"},
		{"HTML is text", `<b onclick="x">bold</b> <!-- c --> &lt; &amp;`, `<p>&lt;b onclick=&#34;x&#34;&gt;bold&lt;/b&gt; &lt;!-- c --&gt; &lt; &amp;</p>`},
		{"an HTML block is text", "<script>\nalert(1)\n</script>", "<p>&lt;script&gt;<br>\nalert(1)<br>\n&lt;/script&gt;</p>"},
		{"a link", `[burble](https://example.org/a?b=c&d=e)`, `<p><a href="https://example.org/a?b=c&amp;d=e"` + linkRel + `>burble</a></p>`},
		{"a bare URL", `see https://example.org/a_b_c.`, `<p>see <a href="https://example.org/a_b_c"` + linkRel + `>https://example.org/a_b_c</a>.</p>`},
		{"a URL in angle brackets", `<https://example.org>`, `<p><a href="https://example.org"` + linkRel + `>https://example.org</a></p>`},
		{"an email address", `ada@example.org`, `<p><a href="mailto:ada@example.org" rel="nofollow noreferrer">ada@example.org</a></p>`},
		{"an image is a link", `![a cat](https://example.org/cat.png)`, `<p><a href="https://example.org/cat.png"` + linkRel + `>a cat</a></p>`},
		{"an image without alternative text", `![](https://example.org/cat.png)`, `<p><a href="https://example.org/cat.png"` + linkRel + `>https://example.org/cat.png</a></p>`},
		{"an image of this site", `![x](/session)`, `<p>x</p>`},
		{"javascript:", `[x](javascript:alert(1))`, `<p>x</p>`},
		{"javascript: in mixed case, with entities", `[x](JaVaScRiPt&colon;alert(1)) [y](java&#x0a;script:alert(1))`, `<p>x y</p>`},
		{"javascript: in an image", `![x](javascript:alert(1))`, `<p>x</p>`},
		{"data:", `[x](data:text/html;base64,PHNjcmlwdD4=)`, `<p>x</p>`},
		{"vbscript: in angle brackets", `<vbscript:alert(1)>`, `<p>&lt;vbscript:alert(1)&gt;</p>`},
		{"a link within this site", `[x](/session) [y](//evil.example)`, `<p>x y</p>`},
		{"a quote in a URL", `[x](https://example.org/"onclick="alert(1))`, `<p><a href="https://example.org/%22onclick=%22alert(1)"` + linkRel + `>x</a></p>`},
		{"link titles are dropped", `[x](https://example.org "title")`, `<p><a href="https://example.org"` + linkRel + `>x</a></p>`},
		{"a link reference definition is text", "[a]: https://example.org/x", `<p>[a]: <a href="https://example.org/x"` + linkRel + `>https://example.org/x</a></p>`},
		{"a reference link is text", "[a][b] [c]", `<p>[a][b] [c]</p>`},
		{"unmatched asterisks", `2 * 3 * 4 **bold`, `<p>2 * 3 * 4 **bold</p>`},
		{"a shrug", `¯\_(ツ)_/¯`, `<p>¯\_(ツ)_/¯</p>`},
		{"other scripts", `مرحبا 你好 👩‍👩‍👧‍👦`, `<p>مرحبا 你好 👩‍👩‍👧‍👦</p>`},
		{"nothing visible", "\u200b", "<p>\u200b</p>"},
		{"a zero byte", "a\x00b", "<p>a\ufffdb</p>"},
	}
	for _, test := range tests {
		got := renderMarkdown(test.text)
		for tries := 0; got != test.want && tries < 100; tries++ { // on a busy machine, code may exceed maxMatchTime and remain plain
			got = renderMarkdown(test.text)
		}
		if got != test.want {
			t.Errorf("%s: %q: got\n%s, want\n%s", test.name, test.text, got, test.want)
		}
	}
}

// This test is not parallel, because it measures time.
func TestExtremeMarkdownIsRenderedInBoundedTimeAndSize(t *testing.T) {
	for name, text := range map[string]string{
		"4,000 characters without a space": strings.Repeat("x", 4000),
		"only asterisks":                   strings.Repeat("*", 4000),
		"only brackets":                    strings.Repeat("[", 4000),
		"nested links":                     strings.Repeat("[", 500) + "x" + strings.Repeat("](https://example.org)", 500)[:3400],
		"nested images":                    strings.Repeat("![", 900) + "x" + strings.Repeat("](a)", 500),
		"nested quotes":                    strings.Repeat(">", 3999) + "x",
		"nested lists":                     strings.Repeat("- ", 1999) + "x",
		"overlapping emphasis":             strings.Repeat("*a _b ", 600),
		"backticks of every length":        strings.Repeat("` `` ``` ", 400),
		"less-than signs":                  strings.Repeat("<", 4000),
		"entities":                         strings.Repeat("&#0;", 1000),
		"link definitions":                 strings.Repeat("[a]: b\n", 500),
		"tildes":                           strings.Repeat("~~a~", 1000),
		"code in an unknown language":      strings.Repeat("```zzq\nx\n```\n", 300),
		"code that is slow to highlight":   strings.Repeat("```jungle\n"+strings.Repeat("{", 100)+"\n```\n", 34),
	} {
		rendered, took := "", time.Hour
		for range 3 { // the machine may be busy
			began := time.Now()
			rendered = renderMarkdown(text)
			took = min(took, time.Since(began))
		}
		if took > time.Second { // generous for -race; without it about 10 ms, or 20 ms for code
			t.Errorf("%s took %v, want at most 1 s", name, took)
		}
		if rendered == "" || len(rendered) > 200_000 {
			t.Errorf("%s: got %d bytes, want 1 to 200,000", name, len(rendered))
		}
		hostile.ExpectHarmless(t, text, rendered)
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, seed := range []string{
		"**a** _b_ ~~c~~ `d`", "```go\nx\n```", "- a\n  1. b\n> c", "[x](javascript:alert(1))", "![x](data:text/html,y)", "<a href=x>",
		"[a]: javascript:x\n[a]", "<javascript:x>", "[x](ja\tvascript:y)", "www.example.org", "[![a](b)](c)", "&#106;avascript:", "\\<b>", "***",
		"[x](https://example.org/\"><script>)", "```\"><script>\nx", "[x](<javascript:x>)", "http://[::1]", "ftp://x.y",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		hostile.ExpectHarmless(t, text, renderMarkdown(text))
	})
}
