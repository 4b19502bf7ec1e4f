package hostile

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// AllowedElements maps each element that a rendered message may contain to its allowed attributes.
var AllowedElements = map[string][]string{
	"p": {"class"}, "bdi": nil, "br": nil, "em": nil, "strong": nil, "del": nil, "code": {"class"}, "pre": nil, "blockquote": nil,
	"span": {"class"}, "details": nil, "summary": nil,
	"ul": nil, "ol": {"start"}, "li": {"value"}, "wbr": nil, "hr": nil, "a": {"href", "rel", "target"},
}

// ExpectHarmless parses rendered as a browser would. It fails the test if rendered contains anything that
// AllowedElements does not allow, or a link that does not lead to another site.
func ExpectHarmless(t *testing.T, text, rendered string) {
	t.Helper()
	tokens := html.NewTokenizer(strings.NewReader(rendered))
	for {
		switch kind := tokens.Next(); kind {
		case html.ErrorToken:
			return
		case html.CommentToken, html.DoctypeToken:
			t.Fatalf("%q was rendered with a comment or a doctype: %q", text, rendered)
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			token := tokens.Token()
			attributes, known := AllowedElements[token.Data]
			if !known {
				t.Fatalf("%q was rendered with <%s>: %q", text, token.Data, rendered)
			}
			for _, attribute := range token.Attr {
				if !slices.Contains(attributes, attribute.Key) {
					t.Fatalf("%q was rendered with <%s %s>: %q", text, token.Data, attribute.Key, rendered)
				}
				if attribute.Key == "href" {
					expectExternalLink(t, attribute.Val)
				}
			}
		}
	}
}

// expectExternalLink fails the test unless href leads to another site and runs no script.
func expectExternalLink(t *testing.T, href string) {
	t.Helper()
	target, err := url.Parse(href)
	if err != nil || target.Scheme != "http" && target.Scheme != "https" && target.Scheme != "mailto" {
		t.Fatalf("link to %q does not lead to another site", href)
	}
}
