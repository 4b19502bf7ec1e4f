package markup

import (
	"os"
	"strings"
	"testing"
)

// TestRulesOfRenderedText checks each row of the table of rules in PROTOCOL.md.
func TestRulesOfRenderedText(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(document), "| rule | text | HTML |\n")
	rows := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(line, "|\n "), " | ")
		if line == "\n" {
			break
		}
		if len(cells) != 3 {
			continue
		}
		rows++
		text, want := strings.Trim(cells[1], "`"), strings.Trim(cells[2], "`")
		if got := strings.ReplaceAll(strings.ReplaceAll(renderMarkdown(text), linkRel, ""), "\n", " "); got != want {
			t.Errorf("%s: %q: got\n%s, want\n%s", cells[0], text, got, want)
		}
	}
	if rows < 20 {
		t.Errorf("the table has %d rows, want at least 20", rows)
	}
}

// Ordinary text is shown as it was written, even if it resembles markup.
func TestTextThatResemblesMarkup(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"5~7U 保证金 × 100~200倍", "1~2 and 3~4", "~/a ~/b", "hi~ there~", "~~", "~~ a ~~", "100~~200~~300",
		">_< so tired", ">:( no", ">.> and <.<", ">>> print(1)", ">9000", ">", ">>1234 no",
		"***", "---", "___", "* * *", "- - -", "_ _ _", "*", "-", "+", "1.", "`", "```", "~~~", "**", "** **", "[]()", "![]()",
		"****", "*_*", "(*^_^*)", "(*´▽｀*)", "^_^ ^_^", "-_- -_-", "._. ._.", ";_; ;_;", "T_T T_T", "(>_<) (>_<)", "m(_ _)m", "o(*￣▽￣*)ブ",
		`¯\_(ツ)_/¯`, `¯\_(⊙_ʖ⊙)_/¯`, `\(^o^)/`, `(\_/)`, `\o/ \o/`, `/\_/\`, `\\server\share`, `\\server\*`, `C:\_new\*.txt`, `C:\`, `a\`, `\`, `\\`,
		`\d+\.\d+`, `\(x\)`, `\[x\]`, `\$x\$`, `a \ b`, `snake\_case`,
		"2*3*4", "5 * 3 * 2", "2**3**4", "x**2 + y**2", "*args, **kwargs", "f(*args, x*2)", "*.go,*.js", "src/**/*.go lib/**/*.js", "/*.go", "商品*，数量*",
		"snake_case_name", "__init__.py", "__init__(self)", "a__b__c", "变量_名称_一", "/_next_/x",
		"8) cool", "1) a", "+ 1", "+1", "-1", "#1", "# x", "=====", "f[i](x)", "a[0](y)", "vector<std::string>", "<foo:bar>", "a < b > c",
		"http://", "https://.", "http://-", "xhttps://a.b", "http://a:b/", "@ada/core", "ada@", "@ada", "a@b", "C:/x", "10:30", "www.", "www",
	} {
		shown := Text(strings.ReplaceAll(renderMarkdown(text), "<br>", ""))
		if shown != text {
			t.Errorf("%q is shown as %q, want it unchanged", text, shown)
		}
	}
}

func TestMarkdownInChats(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"**真，**她 *真。*她 ~~真！~~她 __真，__她":           "<strong>真，</strong>她 <em>真。</em>她 <del>真！</del>她 <strong>真，</strong>她",
		"这是**“重点”**，和*斜体*字":                       "这是<strong>“重点”</strong>，和<em>斜体</em>字",
		"**강조(emphasis)**는 **「重要」**です":            "<strong>강조(emphasis)</strong>는 <strong>「重要」</strong>です",
		"***a*** **a *b* c** *a **b** c*":         "<em><strong>a</strong></em> <strong>a <em>b</em> c</strong> <em>a <strong>b</strong> c</em>",
		"_a_ (_b_) \"_c_\" **N**ew **a:**b **🎉**": "<em>a</em> (<em>b</em>) &#34;<em>c</em>&#34; <strong>N</strong>ew <strong>a:</strong>b <strong>🎉</strong>",
		"*sigh*, **`-`** ~~b~~.":                  "<em>sigh</em>, <strong><code>-</code></strong> <del>b</del>.",
		`\*a\* \_b\_ \~~c\~~ \[d](https://a.b)`:   `*a* _b_ ~~c~~ [d](<a href="https://a.b">https://a.b</a>)`,
		`\**a** \*\*b\*\* \<https://a.b> \&lt;`:   `*<em>a</em>* **b** &lt;<a href="https://a.b">https://a.b</a>&gt; &amp;lt;`,
		"\\`a` \\/me \\![x](https://a.b)":         "`a` \\/me !<a href=\"https://a.b\">x</a>",
	} {
		if got := strings.ReplaceAll(renderMarkdown(text), linkRel, ""); got != "<p>"+want+"</p>" {
			t.Errorf("%q: got\n%s, want\n<p>%s</p>", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"1\\. x": "<p>1. x</p>", "\\- x": "<p>- x</p>", "\\* x": "<p>* x</p>", "\\> x": "<p>&gt; x</p>", "\\/me x": "<p>/me x</p>",
		"5. a\n3. b\n4. c": "<ol start=\"5\">\n<li>a</li>\n<li value=\"3\">b</li>\n<li>c</li>\n</ol>",
		"1. a\n1. b":       "<ol>\n<li>a</li>\n<li>b</li>\n</ol>",
		"> a\n>\n> b\nc":   "<blockquote>\n<p>a</p>\n<p>b<br>\nc</p>\n</blockquote>",
		"a\\\nb":           "<p>a\\<br>\nb</p>",
		"***\n***":         "<p>***<br>\n***</p>",
		"[ ](https://a.b)": `<p><a href="https://a.b"` + linkRel + `>https://a.b </a></p>`,
		"&nbsp;&#8203;":    "<p>&amp;nbsp;&amp;#8203;</p>",
		"```\n&nbsp;\n```": "<pre><code>&amp;nbsp;\n</code></pre>",
	} {
		if got := renderMarkdown(text); got != want {
			t.Errorf("%q: got\n%s, want\n%s", text, got, want)
		}
	}
}
