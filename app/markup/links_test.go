package markup

import (
	"strings"
	"testing"
)

func TestLinks(t *testing.T) {
	t.Parallel()
	link := func(target, label string) string { return `<a href="` + target + `">` + label + `</a>` }
	same := func(url string) string { return link(url, url) }
	for text, want := range map[string]string{
		"https://гном.срб/abc":             link("https://xn--c1asce.xn--90a3ac/abc", "https://гном.срб/abc"),
		"https://例え.jp/あ?い=う#え":            link("https://xn--r8jz45g.jp/%E3%81%82?%E3%81%84=%E3%81%86#%E3%81%88", "https://例え.jp/あ?い=う#え"),
		"https://مثال.إختبار":              link("https://xn--mgbh0fb.xn--kgbechtv", "https://مثال.إختبار"),
		"http://localhost:8080/x":          same("http://localhost:8080/x"),
		"http://nas/ http://jenkins:8080":  same("http://nas/") + " " + same("http://jenkins:8080"),
		"http://127.0.0.1:3000/y 10.0.0.1": same("http://127.0.0.1:3000/y") + " 10.0.0.1",
		"http://[::1]:8080/x":              same("http://[::1]:8080/x"),
		"http://a_b.example.org/":          same("http://a_b.example.org/"),
		"https://example.org:8443":         same("https://example.org:8443"),
		"https://u:p@example.org/":         same("https://u:p@example.org/"),
		"HTTPS://Example.org/X":            link("https://example.org/X", "HTTPS://Example.org/X"),

		"https://example.org/a*b*c":                           same("https://example.org/a*b*c"),
		"https://example.org/_a_/~b~~c~~/(d)[e]":              same("https://example.org/_a_/~b~~c~~/(d)[e]"),
		"https://example.org/a`b":                             same("https://example.org/a") + "`b",
		`https://example.org/a\b`:                             link("https://example.org/a%5Cb", `https://example.org/a\b`),
		"https://example.org/100%":                            link("https://example.org/100%25", "https://example.org/100%"),
		"https://example.org/%C3%BC/ü/é":                      link("https://example.org/%C3%BC/%C3%BC/%C3%A9", "https://example.org/%C3%BC/ü/é"),
		"https://example.org/a?b=c&d=e&amp;":                  link("https://example.org/a?b=c&amp;d=e", "https://example.org/a?b=c&amp;d=e") + "&amp;",
		"看https://example.com/路径，a。谢谢":                        "看" + link("https://example.com/%E8%B7%AF%E5%BE%84%EF%BC%8Ca%E3%80%82%E8%B0%A2%E8%B0%A2", "https://example.com/路径，a。谢谢"),
		"（https://example.com/路）。":                            "（" + link("https://example.com/%E8%B7%AF", "https://example.com/路") + "）。",
		"https://example.org，很好":                              same("https://example.org") + "，很好",
		"(https://a.b/c_(d)) [https://a.b] «https://a.b».":    "(" + same("https://a.b/c_(d)") + ") [" + same("https://a.b") + "] «" + same("https://a.b") + "».",
		"[see https://a.b/] \"https://a.b/\", https://a.b/?!": "[see " + same("https://a.b/") + "] &#34;" + same("https://a.b/") + "&#34;, " + same("https://a.b/") + "?!",
		"**https://a.b/c** _https://a.b/d_ ~~https://a.b/e~~": "<strong>" + same("https://a.b/c") + "</strong> <em>" + same("https://a.b/d") + "</em> <del>" + same("https://a.b/e") + "</del>",
		"x=https://a.b/ xhttps://a.b/":                        "x=" + same("https://a.b/") + " xhttps://a.b/",
		"`https://a.b/`":                                      "<code>https://a.b/</code>",

		"www.example.org/ü":      link("http://www.example.org/%C3%BC", "www.example.org/ü"),
		"https://www.a.b awww.b": same("https://www.a.b") + " awww.b",

		"[x](https://гном.срб/ü)":      link("https://xn--c1asce.xn--90a3ac/%C3%BC", "x"),
		"<https://гном.срб/>":          link("https://xn--c1asce.xn--90a3ac/", "https://гном.срб/"),
		"![y](https://гном.срб/z.png)": link("https://xn--c1asce.xn--90a3ac/z.png", "y"),
		"[http://a.b](http://c.d)":     link("http://c.d", "http://a.b"),
	} {
		if got := strings.ReplaceAll(renderMarkdown(text), linkRel, ""); got != "<p>"+want+"</p>" {
			t.Errorf("%q: got\n%s, want\n<p>%s</p>", text, got, want)
		}
	}
}

func TestEmailAddresses(t *testing.T) {
	t.Parallel()
	for text, linked := range map[string]string{
		"ada@example.org": "ada@example.org", "ada_b.c+d@example.org.": "ada_b.c+d@example.org", "联系ada@example.org你好": "ada@example.org",
		"(ada@a-b.example.org)": "ada@a-b.example.org", "ada@гном.срб": "ada@xn--c1asce.xn--90a3ac",
		"josé@example.org": "", "ada@localhost": "", "@example.org": "", "ada@.org": "", "https://a.b/ada@example": "",
	} {
		_, link, _ := strings.Cut(renderMarkdown(text), `href="mailto:`)
		if link, _, _ = strings.Cut(link, `"`); link != linked {
			t.Errorf("%q: linked %q, want %q", text, link, linked)
		}
	}
}
