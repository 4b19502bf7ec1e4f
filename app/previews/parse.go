package previews

import (
	"bytes"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"
)

const (
	maxTitle       = 150 // characters
	maxDescription = 300
	maxSite        = 60
	maxURL         = 2048 // bytes
	maxTag         = 64 << 10
)

// A Card describes a page.
type Card struct {
	URL         string   `json:"url"` // as in the message
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Site        string   `json:"site,omitempty"` // the name of the web site, or ""
	Picture     *Picture `json:"picture,omitempty"`
}

// A Picture is the picture of a card, which the server has stored.
type Picture struct {
	File   string `json:"file"` // its ID
	Type   string `json:"type"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Color  string `json:"color,omitempty"`
}

// Parse returns a card from the metadata of an HTML page (Open Graph, a Twitter card, or its title and description), and
// the URL of its picture, or "". contentType is the Content-Type of the response, and address is the URL of the page. ok
// is false if the page has no title. The caller must set URL and Picture of the card.
func Parse(page []byte, contentType string, address *url.URL) (card Card, picture string, ok bool) {
	encoding, _, _ := charset.DetermineEncoding(page, contentType)
	found := scan(html.NewTokenizer(encoding.NewDecoder().Reader(bytes.NewReader(page))))
	first := func(names ...string) string {
		for _, name := range names {
			if value := found[name]; value != "" {
				return value
			}
		}
		return ""
	}
	card = Card{
		Title:       clean(first("og:title", "twitter:title", "<title>"), maxTitle),
		Description: clean(first("og:description", "twitter:description", "description"), maxDescription),
		Site:        clean(first("og:site_name", "application-name"), maxSite),
	}
	if card.Description == card.Title {
		card.Description = ""
	}
	picture = first("og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src")
	return card, resolve(picture, address), card.Title != ""
}

// scan returns the first value of each meta element in the head of the page, by its lowercase name or property, and the
// text of the title as "<title>".
func scan(tokens *html.Tokenizer) map[string]string {
	tokens.SetMaxBuf(maxTag)
	found := map[string]string{}
	set := func(name, value string) {
		if name != "" && found[name] == "" {
			found[name] = value
		}
	}
	for inTitle := false; ; {
		switch tokens.Next() {
		case html.ErrorToken:
			return found
		case html.StartTagToken, html.SelfClosingTagToken:
			token := tokens.Token()
			switch token.DataAtom {
			case atom.Body:
				return found
			case atom.Title:
				inTitle = true
			case atom.Meta:
				name, value := metaOf(token)
				set(name, value)
			}
		case html.TextToken:
			if inTitle {
				set("<title>", tokens.Token().Data)
			}
		case html.EndTagToken:
			inTitle = false
			if name, _ := tokens.TagName(); string(name) == "head" {
				return found
			}
		}
	}
}

// metaOf returns the name and the content of a meta element.
func metaOf(token html.Token) (name, content string) {
	for _, attribute := range token.Attr {
		switch attribute.Key {
		case "name", "property":
			if name == "" {
				name = strings.ToLower(strings.TrimSpace(attribute.Val))
			}
		case "content":
			content = attribute.Val
		}
	}
	return name, content
}

// clean returns the text on one line, without characters that are invisible or change the direction of text, shortened
// to limit characters.
func clean(text string, limit int) string {
	text = text[:min(len(text), maxTag)]
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == '\u200c', r == '\u200d': // joiners, which emoji and some scripts need
			return r
		case r == utf8.RuneError, unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Noncharacter_Code_Point, unicode.Other_Default_Ignorable_Code_Point):
			return -1
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	runes := []rune(text)[:limit-1]
	return strings.TrimRightFunc(string(runes), unicode.IsSpace) + "…"
}

// resolve returns the URL of a picture, which may be relative to that of the page, or "" if it cannot be fetched.
func resolve(picture string, page *url.URL) string {
	reference, err := url.Parse(strings.TrimSpace(picture))
	if picture == "" || len(picture) > maxURL || err != nil {
		return ""
	}
	target := page.ResolveReference(reference)
	if target.Scheme != "http" && target.Scheme != "https" || target.Host == "" {
		return ""
	}
	return target.String()
}
