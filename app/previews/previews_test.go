package previews_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"burble/app/previews"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
)

var address = &url.URL{Scheme: "https", Host: "example.org", Path: "/news/today"}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, page, wantTitle, wantDescription, wantSite, wantPicture string
	}{
		{"title only", "<!doctype html><title>Hello</title>", "Hello", "", "", ""},
		{"title and description", `<html><head><title> Hello,
			world </title><META NAME="Description" CONTENT="A &amp; B">`, "Hello, world", "A & B", "", ""},
		{"Open Graph", `<title>wrong</title><meta name="description" content="wrong"><meta property="og:title" content="Right"><meta property="og:description" content="Text">
			<meta property="og:site_name" content="Site"><meta property="og:image" content="https://cdn.example.org/a.png">`, "Right", "Text", "Site", "https://cdn.example.org/a.png"},
		{"Twitter", `<meta name="twitter:title" content="Right"><title>wrong</title><meta name="twitter:description" content="Text"><meta name="twitter:image" content="//cdn.example.org/a.png">`, "Right", "Text", "", "https://cdn.example.org/a.png"},
		{"Open Graph before Twitter", `<meta name="twitter:title" content="wrong"><meta property="og:title" content="Right">`, "Right", "", "", ""},
		{"name instead of property", `<meta name="og:title" content="Right">`, "Right", "", "", ""},
		{"the first one counts", `<meta property="og:title" content="Right"><meta property="og:title" content="wrong"><title>a</title><title>b</title>`, "Right", "", "", ""},
		{"empty values are ignored", `<meta property="og:title" content=""><meta property="og:title"><title>Right</title>`, "Right", "", "", ""},
		{"relative picture", `<title>a</title><meta property="og:image" content="../a b.png">`, "a", "", "", "https://example.org/a%20b.png"},
		{"secure picture", `<title>a</title><meta property="og:image" content="http://a.test/a"><meta property="og:image:secure_url" content="https://a.test/a">`, "a", "", "", "https://a.test/a"},
		{"picture in data", `<title>a</title><meta property="og:image" content="data:image/png;base64,AAAA">`, "a", "", "", ""},
		{"picture in script", `<title>a</title><meta property="og:image" content="javascript:alert(1)">`, "a", "", "", ""},
		{"picture without host", `<title>a</title><meta property="og:image" content="https:///a">`, "a", "", "", ""},
		{"long picture", `<title>a</title><meta property="og:image" content="/` + strings.Repeat("a", 3000) + `">`, "a", "", "", ""},
		{"no title", `<meta name="description" content="Text">`, "", "Text", "", ""},
		{"title in SVG of the body", `<head></head><body><svg><title>wrong</title></svg>`, "", "", "", ""},
		{"title in script", `<script>"<title>wrong</title>"</script><title>Right</title>`, "Right", "", "", ""},
		{"title in comment", `<!-- <title>wrong</title> --><title>Right</title>`, "Right", "", "", ""},
		{"elements in title", `<title>a <b>b</b></title>`, "a <b>b</b>", "", "", ""},
		{"description like title", `<title>Same</title><meta name="description" content="Same">`, "Same", "", "", ""},
		{"script in values", `<title>&lt;script&gt;alert(1)&lt;/script&gt;</title>`, "<script>alert(1)</script>", "", "", ""},
		{"invisible characters", "<title>a\u202eb\u200fc\u0000d\ufeffe\u2066f</title>", "abcdef", "", "", ""},
		{"only invisible characters", "<title>\u202e\u200b </title>", "", "", "", ""},
		{"only blank letters", "<title>\u3164\u115f\uffa0</title>", "", "", "", ""},
		{"unfinished", `<title>Hello</title><meta property="og:title" content="wro`, "Hello", "", "", ""},
		{"text", "hello", "", "", "", ""},
		{"nothing", "", "", "", "", ""},
	}
	for _, test := range tests {
		card, picture, ok := previews.Parse([]byte(test.page), "text/html; charset=utf-8", address)
		if card.Title != test.wantTitle || card.Description != test.wantDescription || card.Site != test.wantSite || picture != test.wantPicture || ok != (test.wantTitle != "") {
			t.Errorf("%s: got %+v, picture %q, ok %v; want title %q, description %q, site %q, picture %q", test.name, card, picture, ok, test.wantTitle, test.wantDescription, test.wantSite, test.wantPicture)
		}
	}
}

func TestCharset(t *testing.T) {
	t.Parallel()
	must := func(text string, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	const german, kanji = "<title>Größe</title>", "<title>日本語</title>"
	tests := []struct{ name, page, contentType, want string }{
		{"header", must(charmap.ISO8859_1.NewEncoder().String(german)), "text/html; charset=iso-8859-1", "Größe"},
		{"meta charset", `<meta charset="windows-1252">` + must(charmap.Windows1252.NewEncoder().String(german)), "text/html", "Größe"},
		{"meta http-equiv", `<meta http-equiv="Content-Type" content="text/html; charset=shift_jis">` + must(japanese.ShiftJIS.NewEncoder().String(kanji)), "text/html", "日本語"},
		{"EUC-JP", must(japanese.EUCJP.NewEncoder().String(kanji)), "text/html; charset=euc-jp", "日本語"},
		{"UTF-8 unannounced", kanji, "text/html", "日本語"},
		{"UTF-8 with a mark", "\ufeff" + kanji, "text/html; charset=iso-8859-1", "日本語"},
		{"unknown", german, "text/html; charset=nonsense", "Größe"},
		{"invalid UTF-8", "<title>a\xffb</title>", "text/html; charset=utf-8", "ab"},
	}
	for _, test := range tests {
		card, _, _ := previews.Parse([]byte(test.page), test.contentType, address)
		if card.Title != test.want {
			t.Errorf("%s: got the title %q, want %q", test.name, card.Title, test.want)
		}
	}
}

func TestTextIsBounded(t *testing.T) {
	t.Parallel()
	page := "<title>" + strings.Repeat("é ", 5000) + `</title><meta name="description" content="` + strings.Repeat("日", 5000) + `"><meta property="og:site_name" content="` + strings.Repeat("a", 5000) + `">`
	card, _, _ := previews.Parse([]byte(page), "text/html; charset=utf-8", address)
	for _, text := range []struct {
		value string
		most  int
	}{{card.Title, 150}, {card.Description, 300}, {card.Site, 60}} {
		if n := utf8.RuneCountInString(text.value); n > text.most || n < text.most-2 || !strings.HasSuffix(text.value, "…") {
			t.Errorf("got %d characters, want about %d: %s", n, text.most, text.value)
		}
	}
}

var now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func TestToken(t *testing.T) {
	t.Parallel()
	card := previews.Card{URL: "https://example.org/", Title: "Hello", Description: "World", Site: "Site",
		Picture: &previews.Picture{File: "f1", Type: "image/png", Width: 10, Height: 20, Color: "#102030"}}
	tokens := previews.NewTokens([]byte("secret"))
	token := tokens.Sign(card, "ada", "lobby", now)
	got, err := previews.NewTokens([]byte("secret")).Verify(token, "ada", "lobby", now.Add(previews.TokenLifetime-time.Second))
	if err != nil || got.URL != card.URL || got.Title != card.Title || got.Description != card.Description || got.Site != card.Site || *got.Picture != *card.Picture {
		t.Errorf("Verify returned %+v, %v; want the card", got, err)
	}
	if _, err := tokens.Verify(token, "ada", "lobby", now.Add(previews.TokenLifetime)); !errors.Is(err, previews.ErrTokenExpired) {
		t.Errorf("after TokenLifetime: got the error %v, want %v", err, previews.ErrTokenExpired)
	}
	other := previews.NewTokens([]byte("another secret")).Sign(card, "ada", "lobby", now)
	for name, token := range map[string]string{
		"another secret": other, "nothing": "", "no MAC": strings.Join(strings.Split(token, ".")[:2], "."), "dots": "...", "long": strings.Repeat("a", 1<<20),
		"another version": "2" + token[1:], "another claim": token[:10] + "A" + token[11:], "another MAC": token[:len(token)-2] + "AA",
		"no URL": tokens.Sign(previews.Card{Title: "a"}, "ada", "lobby", now),
	} {
		if _, err := tokens.Verify(token, "ada", "lobby", now); !errors.Is(err, previews.ErrTokenInvalid) {
			t.Errorf("%s: got the error %v, want %v", name, err, previews.ErrTokenInvalid)
		}
	}
	for _, room := range []string{"other", "", "lobb", "lobby "} {
		if _, err := tokens.Verify(token, "ada", room, now); !errors.Is(err, previews.ErrTokenInvalid) {
			t.Errorf("room %q: got the error %v, want %v", room, err, previews.ErrTokenInvalid)
		}
	}
	for _, user := range []string{"eve", "", "ad", "ada "} {
		if _, err := tokens.Verify(token, user, "lobby", now); !errors.Is(err, previews.ErrTokenInvalid) {
			t.Errorf("user %q: got the error %v, want %v", user, err, previews.ErrTokenInvalid)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`<title>a</title><meta property="og:image" content="//a/b">`), "text/html")
	f.Add([]byte("\xfe\xff<\x00t"), "text/html; charset=utf-16")
	f.Add([]byte(`<meta charset="iso-2022-jp"><title>`+"\x1b$B"), "text/html")
	f.Fuzz(func(t *testing.T, page []byte, contentType string) {
		card, picture, ok := previews.Parse(page, contentType, address)
		for _, text := range []string{card.Title, card.Description, card.Site} {
			if !utf8.ValidString(text) || utf8.RuneCountInString(text) > 300 || strings.ContainsFunc(text, unicode.IsControl) {
				t.Fatalf("got the text %q, want at most 300 characters of valid UTF-8 without control characters", text)
			}
		}
		if ok != (card.Title != "") {
			t.Fatalf("ok is %v and the title %q, want ok only with a title", ok, card.Title)
		}
		if picture != "" && !strings.HasPrefix(picture, "http://") && !strings.HasPrefix(picture, "https://") {
			t.Fatalf("got the picture %q, want an http or https URL", picture)
		}
		card.URL = "https://example.org/"
		tokens := previews.NewTokens([]byte("secret"))
		if got, err := tokens.Verify(tokens.Sign(card, "ada", "lobby", now), "ada", "lobby", now); err != nil || got != card {
			t.Fatalf("got %+v, %v, want %+v", got, err, card)
		}
	})
}

func FuzzVerify(f *testing.F) {
	tokens := previews.NewTokens([]byte("secret"))
	f.Add(tokens.Sign(previews.Card{URL: "https://example.org/"}, "eve", "lobby", now))
	f.Fuzz(func(t *testing.T, token string) {
		if card, err := tokens.Verify(token, "ada", "lobby", now); err == nil {
			t.Fatalf("Verify accepted the token %q as %+v", token, card)
		}
	})
}
