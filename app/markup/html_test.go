package markup

import (
	"testing"

	"burble/app/hostile"
	"burble/streams"
)

func TestActionsAndEmoji(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"/me waves <b>": `<p class="action"><bdi>Ada &amp; Co</bdi> waves &lt;b&gt;</p>`,
		"/me ":          `<p>/me</p>`,
		"":              "",
		"/meow":         `<p>/meow</p>`,
		"/shrug *x*":    `<p>/shrug <em>x</em></p>`,
		"🙌":             `<p class="emoji">🙌</p>`,
		" 👩‍👩‍👧‍👦 🇫🇷👍🏽 ": `<p class="emoji">👩‍👩‍👧‍👦 🇫🇷👍🏽</p>`,
		"❤️❤️❤️":         `<p class="emoji">❤️❤️❤️</p>`,
		"🙌🙌🙌🙌":           `<p>🙌🙌🙌🙌</p>`,
		"🙌 thanks":       `<p>🙌 thanks</p>`,
		"\u200d\ufe0f":   "<p>\u200d\ufe0f</p>",
		"```\n/me\n```":  "<pre><code>/me\n</code></pre>",
		"1\ufe0f\u20e3 ": "<p class=\"emoji\">1\ufe0f\u20e3</p>",
		"#\u20e3":        "<p class=\"emoji\">#\u20e3</p>",
		"☺ ☺\ufe0f ❤":    "<p class=\"emoji\">☺ ☺\ufe0f ❤</p>",
		"©\ufe0f":        "<p class=\"emoji\">©\ufe0f</p>",
		"🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f": "<p class=\"emoji\">🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f</p>",
		"👁\ufe0f\u200d🗨\ufe0f🏃🏽\u200d♀\ufe0f":                           "<p class=\"emoji\">👁\ufe0f\u200d🗨\ufe0f🏃🏽\u200d♀\ufe0f</p>",
		"𠮷":       "<p>𠮷</p>",
		"𝐀":       "<p>𝐀</p>",
		"🀄":       "<p class=\"emoji\">🀄</p>",
		"🀀":       "<p>🀀</p>", // a Mahjong tile that is not an emoji
		"⌚⌀":      "<p>⌚⌀</p>",
		"☺\ufe0e": "<p>☺\ufe0e</p>",
		"©":       "<p>©</p>",
		"12":      "<p>12</p>",
		"🇫":       "<p>🇫</p>",
		"→":       "<p>→</p>",
		"☃x":      "<p>☃x</p>",
	} {
		if got := HTML(&streams.Entry{Text: text, User: streams.User{Name: "Ada & Co"}}); got != want {
			t.Errorf("%q: got\n%s, want\n%s", text, got, want)
		}
	}
}

func TestHostileMessagesAreRenderedHarmless(t *testing.T) {
	t.Parallel()
	for _, message := range hostile.Texts {
		rendered := HTML(&streams.Entry{Text: message.Text, User: streams.User{Name: "<b>Mallory</b>"}})
		if rendered == "" {
			t.Errorf("%s: the rendered text is empty", message.Name)
		}
		hostile.ExpectHarmless(t, message.Text, rendered)
	}
}

func TestRenderCacheIsBounded(t *testing.T) {
	t.Parallel()
	c, calls := renderCache{maxSize: 1000}, 0
	render := func(text string) string { calls++; return "<p>" + text + "</p>" }
	for range 2 {
		if got := c.render("kept", render); got != "<p>kept</p>" || calls != 1 {
			t.Fatalf("got %q after %d calls, want 1 call", got, calls)
		}
	}
	for i := range 1000 {
		c.render(string(rune('a'+i)), render)
	}
	if len(c.newer)+len(c.older) > 40 {
		t.Errorf("%d texts cached, want at most 40", len(c.newer)+len(c.older))
	}
	if calls = 0; c.render("kept", render) != "<p>kept</p>" || calls != 1 {
		t.Errorf("rendered %d times after eviction, want 1", calls)
	}
}

func TestEqualEmojiAreNormalizedToEqualStrings(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"☺\ufe0f", "☺", "☺\ufe0e"}, {"❤\ufe0f", "❤"}, {"👍", "👍\ufe0f"}, {"1\ufe0f\u20e3", "1\u20e3"}, {"☝🏽", "☝\ufe0f🏽"},
		{"👁\ufe0f\u200d🗨\ufe0f", "👁\u200d🗨", "👁\ufe0f\u200d🗨"}, {"❤\ufe0f\u200d🔥", "❤\u200d🔥"}, {"🏃🏽\u200d♀\ufe0f", "🏃🏽\u200d♀"},
		{"🇫🇷"}, {"👩‍👩‍👧‍👦"}, {"ℹ\ufe0f", "ℹ"},
	} {
		for _, emoji := range same {
			if got := NormalizeEmoji(emoji); got != same[0] {
				t.Errorf("%+q is normalized to %+q, want %+q", emoji, got, same[0])
			}
		}
	}
}
