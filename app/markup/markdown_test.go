package markup

import (
	"strings"
	"testing"
	"time"

	"burble/app/hostile"
	"burble/streams"
)

const linkRel = ` rel="nofollow noreferrer noopener" target="_blank"`

func TestMarkdownAsPeopleWriteIt(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"plain", `hello`, `<p>hello</p>`},
		{"bold, italic, struck", `**a** *b* ~~c~~ __d__ _e_`, `<p><strong>a</strong> <em>b</em> <del>c</del> <strong>d</strong> <em>e</em></p>`},
		{"code", "`<b>` and ``a`b``", "<p><code>&lt;b&gt;</code> and <code>a`b</code></p>"},
		{"a block of code", "```\na < b\n\n  c\n```", "<pre><code>a &lt; b\n\n  c\n</code></pre>"},
		{"a block of code in a language", "```go\nfunc main() {}\n```", "<pre><code class=\"language-go\"><span class=\"k\">func</span> <span class=\"f\">main</span>() {}\n</code></pre>"},
		{"a block of code in a language nobody knows", "```gargoyle\na < b\n```", "<pre><code class=\"language-gargoyle\">a &lt; b\n</code></pre>"},
		{"a block by indentation", "    a < b", "<pre><code>a &lt; b\n</code></pre>"},
		{"a long block is folded", "```\n" + strings.Repeat("x\n", 21) + "```", "<details><summary>21 lines</summary><pre><code>" + strings.Repeat("x\n", 21) + "</code></pre>\n</details>"},
		{"a language that is an attack", "```\" onclick=alert(1)\nx\n```", "<pre><code>x\n</code></pre>"},
		{"a block of code without its end", "```\nx", "<pre><code>x\n</code></pre>"},
		{"line breaks are kept", "one\ntwo\r\nthree", "<p>one<br>\ntwo<br>\nthree</p>"},
		{"paragraphs", "one\n\ntwo", "<p>one</p>\n<p>two</p>"},
		{"a list", "- one\n- two\n  - three", "<ul>\n<li>one</li>\n<li>two\n<ul>\n<li>three</li>\n</ul>\n</li>\n</ul>"},
		{"a numbered list", "3. three\n4. four", "<ol start=\"3\">\n<li>three</li>\n<li>four</li>\n</ol>"},
		{"a quote", "> said\n> more\n\nanswer", "<blockquote>\n<p>said<br>\nmore</p>\n</blockquote>\n<p>answer</p>"},
		{"a rule", "***", "<hr>"},
		{"a heading is none", "# not a heading", "<p># not a heading</p>"},
		{"an underlined heading is none", "title\n=====", "<p>title<br>\n=====</p>"},
		{"a hashtag", "#1 is first", "<p>#1 is first</p>"},
		{"HTML is text", `<b onclick="x">bold</b> <!-- c --> &lt; &amp;`, `<p>&lt;b onclick=&#34;x&#34;&gt;bold&lt;/b&gt; &lt;!-- c --&gt; &lt; &amp;</p>`},
		{"a block of HTML is text", "<script>\nalert(1)\n</script>", "<p>&lt;script&gt;<br>\nalert(1)<br>\n&lt;/script&gt;</p>"},
		{"a link", `[burble](https://example.org/a?b=c&d=e)`, `<p><a href="https://example.org/a?b=c&amp;d=e"` + linkRel + `>burble</a></p>`},
		{"an address", `see https://example.org/a_b_c.`, `<p>see <a href="https://example.org/a_b_c"` + linkRel + `>https://example.org/a_b_c</a>.</p>`},
		{"an address in brackets", `<https://example.org>`, `<p><a href="https://example.org"` + linkRel + `>https://example.org</a></p>`},
		{"an address of mail", `ada@example.org`, `<p><a href="mailto:ada@example.org" rel="nofollow noreferrer">ada@example.org</a></p>`},
		{"an image is a link", `![a cat](https://example.org/cat.png)`, `<p><a href="https://example.org/cat.png"` + linkRel + `>a cat</a></p>`},
		{"an image without words", `![](https://example.org/cat.png)`, `<p><a href="https://example.org/cat.png"` + linkRel + `>https://example.org/cat.png</a></p>`},
		{"an image from here", `![x](/session)`, `<p>x</p>`},
		{"javascript:", `[x](javascript:alert(1))`, `<p>x</p>`},
		{"javascript: in capitals, with entities", `[x](JaVaScRiPt&colon;alert(1)) [y](java&#x0a;script:alert(1))`, `<p>x y</p>`},
		{"javascript: in an image", `![x](javascript:alert(1))`, `<p>x</p>`},
		{"data:", `[x](data:text/html;base64,PHNjcmlwdD4=)`, `<p>x</p>`},
		{"vbscript: in brackets", `<vbscript:alert(1)>`, `<p>vbscript:alert(1)</p>`},
		{"a link within this server", `[x](/session) [y](//evil.example)`, `<p>x y</p>`},
		{"a quote in an address", `[x](https://example.org/"onclick="alert(1))`, `<p><a href="https://example.org/%22onclick=%22alert(1)"` + linkRel + `>x</a></p>`},
		{"a title is not kept", `[x](https://example.org "title")`, `<p><a href="https://example.org"` + linkRel + `>x</a></p>`},
		{"a definition of a link is text", "[a]: https://example.org/x", `<p>[a]: <a href="https://example.org/x"` + linkRel + `>https://example.org/x</a></p>`},
		{"a reference to one is text", "[a][b] [c]", `<p>[a][b] [c]</p>`},
		{"stars without a partner", `2 * 3 * 4 **bold`, `<p>2 * 3 * 4 **bold</p>`},
		{"a shrug", `¯\_(ツ)_/¯`, `<p>¯_(ツ)_/¯</p>`},
		{"other scripts", `مرحبا 你好 👩‍👩‍👧‍👦`, `<p>مرحبا 你好 👩‍👩‍👧‍👦</p>`},
		{"nothing that shows", "\u200b", "<p>\u200b</p>"},
		{"a zero byte", "a\x00b", "<p>a\ufffdb</p>"},
	}
	for _, test := range tests {
		if got := renderMarkdown(test.text); got != test.want {
			t.Errorf("%s: %q is\n%s, want\n%s", test.name, test.text, got, test.want)
		}
	}
}

func TestActionsAndEmojiAreShownAsSuch(t *testing.T) {
	for text, want := range map[string]string{
		"/me waves <b>": `<p class="action"><bdi>Ada &amp; Co</bdi> waves &lt;b&gt;</p>`,
		"/me ":          `<p>/me</p>`,
		"/meow":         `<p>/meow</p>`,
		"/shrug *x*":    `<p>/shrug <em>x</em></p>`,
		"🙌":             `<p class="emoji">🙌</p>`,
		" 👩‍👩‍👧‍👦 🇫🇷👍🏽 ": `<p class="emoji">👩‍👩‍👧‍👦 🇫🇷👍🏽</p>`,
		"❤️❤️❤️":         `<p class="emoji">❤️❤️❤️</p>`,
		"🙌🙌🙌🙌":           `<p>🙌🙌🙌🙌</p>`,
		"🙌 thanks":       `<p>🙌 thanks</p>`,
		"\u200d\ufe0f":   "<p>\u200d\ufe0f</p>",
		"```\n/me\n```":  "<pre><code>/me\n</code></pre>",
		"1\ufe0f\u20e3 ": "<p>1\ufe0f\u20e3</p>",
	} {
		if got := HTML(&streams.Entry{Text: text, User: streams.User{Name: "Ada & Co"}}); got != want {
			t.Errorf("%q is\n%s, want\n%s", text, got, want)
		}
	}
}

func TestMarkdownOfWhatMalloryWritesIsHarmless(t *testing.T) {
	for _, written := range hostile.Texts {
		rendered := HTML(&streams.Entry{Text: written.Text, User: streams.User{Name: "<b>Mallory</b>"}})
		if rendered == "" {
			t.Errorf("%s became nothing", written.Name)
		}
		hostile.ExpectHarmless(t, written.Text, rendered)
	}
}

func TestMarkdownOfWhatNobodyWouldWrite(t *testing.T) {
	for name, text := range map[string]string{
		"4,000 characters without a space": strings.Repeat("x", 4000),
		"nothing but stars":                strings.Repeat("*", 4000),
		"nothing but brackets":             strings.Repeat("[", 4000),
		"links within links":               strings.Repeat("[", 500) + "x" + strings.Repeat("](https://example.org)", 500)[:3400],
		"images within images":             strings.Repeat("![", 900) + "x" + strings.Repeat("](a)", 500),
		"quotes within quotes":             strings.Repeat(">", 3999) + "x",
		"lists within lists":               strings.Repeat("- ", 1999) + "x",
		"emphasis that crosses":            strings.Repeat("*a _b ", 600),
		"backticks of every length":        strings.Repeat("` `` ``` ", 400),
		"less-than signs":                  strings.Repeat("<", 4000),
		"entities":                         strings.Repeat("&#0;", 1000),
		"definitions":                      strings.Repeat("[a]: b\n", 500),
		"tildes":                           strings.Repeat("~~a~", 1000),
		"code in a language nobody knows":  strings.Repeat("```zzq\nx\n```\n", 300),
		"code that takes its time":         strings.Repeat("```jungle\n"+strings.Repeat("{", 100)+"\n```\n", 34),
	} {
		rendered, took := "", time.Hour
		for range 3 { // others use the machine too
			began := time.Now()
			rendered = convertMarkdown(text)
			took = min(took, time.Since(began))
		}
		if took > time.Second { // with -race; it is about 10 ms, or 20 of code
			t.Errorf("%s took %v", name, took)
		}
		if rendered == "" || len(rendered) > 200_000 {
			t.Errorf("%s became %d bytes", name, len(rendered))
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
