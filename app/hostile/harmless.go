package hostile

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// Allowed lists the elements, each with its attributes, that a rendered message may contain.
var AllowedElements = map[string][]string{
	"p": {"class"}, "bdi": nil, "br": nil, "em": nil, "strong": nil, "del": nil, "code": {"class"}, "pre": nil, "blockquote": nil,
	"span": {"class"}, "details": nil, "summary": nil,
	"ul": nil, "ol": {"start"}, "li": nil, "hr": nil, "a": {"href", "rel", "target"},
}

// ExpectHarmless parses rendered as a browser would, and fails the test unless it holds only
// what Allowed lists and its links lead to other sites.
func ExpectHarmless(t *testing.T, text, rendered string) {
	t.Helper()
	tokens := html.NewTokenizer(strings.NewReader(rendered))
	for {
		switch kind := tokens.Next(); kind {
		case html.ErrorToken:
			return
		case html.CommentToken, html.DoctypeToken:
			t.Fatalf("%q became %q", text, rendered)
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			token := tokens.Token()
			attributes, known := AllowedElements[token.Data]
			if !known {
				t.Fatalf("%q became <%s> in %q", text, token.Data, rendered)
			}
			for _, attribute := range token.Attr {
				if !slices.Contains(attributes, attribute.Key) {
					t.Fatalf("%q became <%s %s> in %q", text, token.Data, attribute.Key, rendered)
				}
				if attribute.Key == "href" {
					expectExternalLink(t, attribute.Val)
				}
			}
		}
	}
}

// expectFarAway fails the test unless the link leads to another site and runs nothing.
func expectExternalLink(t *testing.T, href string) {
	t.Helper()
	target, err := url.Parse(href)
	if err != nil || target.Scheme != "http" && target.Scheme != "https" && target.Scheme != "mailto" {
		t.Fatalf("a link to %q", href)
	}
}
