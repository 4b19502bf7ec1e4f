// Package hostile contains texts that try to run scripts in other users' pages, to break the layout,
// or to impersonate another user. Tests send them wherever Burble accepts text, and check that pages
// show them as plain text.
//
//	for _, one := range hostile.Texts {
//		t.Run(one.Name, func(t *testing.T) { hostile.ExpectHarmless(t, one.Text, render(one.Text)) })
//	}
//
// In a browser, a script that runs sets the global variable [Marker].
package hostile

import "strings"

// Text is a message of 1 to 4,000 characters.
type Text struct{ Name, Text string }

// Marker is the global variable that a script in a hostile text sets to 1 if it runs.
const Marker = "__ran"

// Texts is the corpus. Whether it is shown as a message, a topic, a name, a quote, a search result or a
// draft, no text may run a script or break the layout.
var Texts = []Text{
	{"a script", `<script>__ran=1</script>`},
	{"a script after closing tags", `</p></div></textarea></title></style></script><script>__ran=1</script>`},
	{"a broken image with onerror", `<img src=x onerror=__ran=1>`},
	{"an attribute breakout", `"><img src=x onerror=__ran=1>' onmouseover='__ran=1`},
	{"an SVG with onload", `<svg/onload=__ran=1><svg><a xlink:href="javascript:__ran=1"><text y=20>x</text></a></svg>`},
	{"events that fire without user interaction", `<details open ontoggle=__ran=1><input autofocus onfocus=__ran=1>`},
	{"frames and embedded objects", `<iframe srcdoc="<script>parent.__ran=1</script>"></iframe><object data="javascript:__ran=1"><embed src="javascript:__ran=1">`},
	{"a form to another site", `<form action=https://evil.example><input name=name><button>Join</button></form>`},
	{"base, meta refresh and a stylesheet", `<base href=https://evil.example><meta http-equiv=refresh content="0;url=https://evil.example"><link rel=stylesheet href=//evil.example>`},
	{"a style that covers the page", `<style>*{display:none}</style><div style="position:fixed;inset:0;background:red">over all</div>`},
	{"comments, CDATA and processing instructions", `<!-- --><script>__ran=1</script><![CDATA[<script>__ran=1</script>]]><?php __ran=1 ?><plaintext>`},
	{"mutation XSS", `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=__ran=1&gt;">`},
	{"noscript, parsed differently without scripting", `<noscript><p title="</noscript><img src=x onerror=__ran=1>">`},
	{"template expressions", `{{constructor.constructor('__ran=1')()}} ${__ran=1} <%= __ran=1 %> #{__ran=1}`},
	{"character references", `&lt;img src=x onerror=__ran=1&gt; &#60;script&#62;__ran=1&#60;/script&#62;`},

	{"javascript: links", `[x](javascript:__ran=1) [y](JaVaScRiPt&colon;__ran=1) [z](java&#x0a;script:__ran=1) <javascript:__ran=1>`},
	{"javascript: links in disguise", "[x](\u0001javascript:__ran=1) [y](%6aavascript:__ran=1) [z](\tjavascript:__ran=1) [w](vbscript:__ran=1)"},
	{"data: links", `[x](data:text/html,<script>parent.__ran=1</script>) ![y](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9Il9fcmFuPTEiPg==)`},
	{"javascript: images", `![x](javascript:__ran=1) ![y](https://evil.example/"onerror="__ran=1)`},
	{"URLs with quotes", `https://evil.example/"onmouseover="__ran=1 <https://evil.example/'><script>__ran=1</script>>`},
	{"links without a scheme", `[x](/session) [y](//evil.example) [z](\\evil.example) [w](?q=<script>)`},
	{"links that look like other links", `[https://example.org](https://evil.example) https://example.org@evil.example`},

	{"markup in code", "```html\n<script>__ran=1</script>\n```\n`<img src=x onerror=__ran=1>`"},
	{"markup as a code block's language", "```\"><script>__ran=1</script>\nx\n```"},
	{"unfinished Markdown", "**bold *both `code\n[link](https://example.org\n> quote\n- [ ] list\n```"},
	{"500 nested quotes", strings.Repeat(">", 500) + " deep"},
	{"500 nested lists", strings.Repeat("- ", 500) + "deep"},
	{"250 quotes nested in lists", strings.Repeat("- > ", 250) + "deep"},
	{"400 nested links", strings.Repeat("[", 400) + "x](https://example.org)](https://example.org)"},
	{"a table wider than the page", "|" + strings.Repeat(" column |", 60) + "\n|" + strings.Repeat("---|", 60)},
	{"a code line wider than the page", "```\n" + strings.Repeat("y", 2000) + "\n```"},

	{"4,000 characters without a space", strings.Repeat("x", 4000)},
	{"the widest character 4,000 times", strings.Repeat("\ufdfd", 4000)},
	{"a URL of 4,000 characters", "https://example.org/" + strings.Repeat("y", 3980)},
	{"30 emoji in a row", strings.Repeat("🙌", 30)},
	{"emoji of many code points", strings.Repeat("👩‍👩‍👧‍👦🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f🇫🇷", 20)},
	{"stacked combining marks", "Z" + strings.Repeat("\u0301\u0310\u0489\u0336\u0323", 60) + "algo"},
	{"400 lines", strings.Repeat("x\n\n", 400) + "x"},

	{"Arabic", "مرحبا Ada, 12:30 (ليلى) https://example.org/ل"},
	{"bidirectional controls", "\u202eabc txt.exe \u202d \u2066 \u2067 \u2068 \u202a \u202b"},
	{"unclosed bidirectional controls", strings.Repeat("\u202e\u2067", 1000) + "x"},
	{"invisible characters", strings.Repeat("\u200b\u200d\u2060\ufeff\u00ad\u3164\u2800", 200) + "x"},
	{"line separators", "a\rb\u0085c\u2028d\u2029e\u000bf\u000cg"},
	{"control characters", "a\u0000b\u0001c\u001b[31md\u007fe\u009bf\ufffeg\ufffd"},
	{"private-use, unassigned and wide characters", "\ue000\uf8ff\u0378\U0010fffd\U0001242a\ua9c5"},
	{"mentions", "@everyone @<img src=x onerror=__ran=1> @Ada\u202e @\u0410da"},
	{"a /me command", "/me <img src=x onerror=__ran=1>\u202e"},
	{"emoji short codes", ":<script>: :tada: :constructor: :__proto__:"},
}
