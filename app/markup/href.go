package markup

import (
	"html"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/util"
	"golang.org/x/net/idna"
)

// linkRenderer renders links and images. Images are links, because pages must not load anything from
// other sites.
type linkRenderer struct{}

// RegisterFuncs implements goldmark's renderer.NodeRenderer.
func (linkRenderer) RegisterFuncs(register renderer.NodeRendererFuncRegisterer) {
	register.Register(ast.KindLink, renderLink)
	register.Register(ast.KindImage, renderImage)
	register.Register(ast.KindAutoLink, renderAutoLink)
}

// renderLink renders [text](destination). A destination that is not a URL, as in f[i](x), is text.
func renderLink(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	link := node.(*ast.Link)
	destination := string(util.URLEscape(link.Destination, true))
	if isRelative(destination) {
		if entering {
			w.WriteString("[")
		} else {
			w.WriteString("](" + html.EscapeString(string(link.Destination)) + ")")
		}
		return ast.WalkContinue, nil
	}
	if !entering {
		w.WriteString("</a>")
		return ast.WalkContinue, nil
	}
	w.WriteString(`<a href="` + html.EscapeString(href("", destination)) + `">`)
	if !isVisibleText(plainText(link, source)) {
		w.WriteString(html.EscapeString(string(link.Destination)))
	}
	return ast.WalkContinue, nil
}

func renderImage(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	image := node.(*ast.Image)
	name := plainText(image, source)
	if !isVisibleText(name) {
		name = string(image.Destination)
	}
	target := href("", string(util.URLEscape(image.Destination, true)))
	w.WriteString(`<a href="` + html.EscapeString(target) + `">` + html.EscapeString(name) + `</a>`)
	return ast.WalkSkipChildren, nil
}

// renderAutoLink renders a URL or an email address. Anything else in angle brackets, as in
// vector<std::string>, is text.
func renderAutoLink(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	link := node.(*ast.AutoLink)
	label := string(link.Label(source))
	target := href(string(link.Protocol), label)
	if link.AutoLinkType == ast.AutoLinkEmail {
		target = mailto(label)
	}
	if target == "" {
		w.WriteString("&lt;" + html.EscapeString(label) + "&gt;")
		return ast.WalkContinue, nil
	}
	w.WriteString(`<a href="` + html.EscapeString(target) + `">` + html.EscapeString(label) + `</a>`)
	return ast.WalkContinue, nil
}

// isRelative reports whether a destination has neither a scheme nor a leading slash.
func isRelative(destination string) bool {
	return destination != "" && !strings.ContainsAny(destination[:1], `/\?#`) && !strings.Contains(destination, ":")
}

func mailto(address string) string {
	local, host, _ := strings.Cut(address, "@")
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii
	}
	return "mailto:" + local + "@" + host
}

// href returns the URL of a link in ASCII: the host in Punycode, the rest percent-encoded. It returns ""
// for a URL to which messages must not link. protocol is the scheme for a link without one.
func href(protocol, link string) string {
	scheme, rest, ok := strings.Cut(link, ":")
	if protocol != "" {
		scheme, rest, ok = protocol, "//"+link, true
	}
	if scheme = strings.ToLower(scheme); ok && scheme == "mailto" {
		return scheme + ":" + escapeURL(rest)
	}
	rest, isURL := strings.CutPrefix(rest, "//")
	if !isURL || scheme != "http" && scheme != "https" {
		return ""
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, ok := asciiAuthority(rest[:end])
	if !ok {
		return ""
	}
	return scheme + "://" + authority + escapeURL(rest[end:])
}

// Target returns, in ASCII, the URL to which link leads if a message contains it. It returns "" unless link is an
// http: or https: URL.
func Target(link string) string {
	target := href("", link)
	if parsed, err := url.Parse(target); err != nil || parsed.Host == "" {
		return ""
	}
	return target
}

var linkPattern = regexp.MustCompile(`<a href="([^"]*)"`)

// HasLink reports whether rendered HTML has a link to the URL, which must be a result of Target. A URL in code is
// not a link.
func HasLink(rendered, target string) bool {
	return slices.ContainsFunc(linkPattern.FindAllStringSubmatch(rendered, -1), func(link []string) bool {
		return html.UnescapeString(link[1]) == target
	})
}

// hosts converts internationalized host names to ASCII. It accepts underscores, which some hosts have.
var hosts = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false))

// asciiAuthority returns the user, host and port of a URL in ASCII. It returns false if there is no valid host.
func asciiAuthority(authority string) (string, bool) {
	user, host := "", authority
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		user, host = escapeURL(authority[:at])+"@", authority[at+1:]
	}
	port := ""
	if strings.HasPrefix(host, "[") {
		address, after, _ := strings.Cut(host[1:], "]")
		if parsed, err := netip.ParseAddr(address); err != nil || !parsed.Is6() || parsed.Zone() != "" {
			return "", false
		}
		host, port = "["+address+"]", after
	} else {
		if colon := strings.IndexByte(host, ':'); colon >= 0 {
			host, port = host[:colon], host[colon:]
		}
		if decoded, err := url.PathUnescape(host); err == nil {
			host = decoded
		}
		ascii, err := hosts.ToASCII(host)
		if first := strings.Trim(ascii, "-._"); err != nil || first == "" || len(ascii) > 253 || strings.ContainsAny(ascii[:1], "-.") || strings.Contains(ascii, "..") {
			return "", false
		}
		host = ascii
	}
	if port != "" && port != ":" && strings.Trim(port[1:], "0123456789") != "" || port != "" && port[0] != ':' {
		return "", false
	}
	return user + host + port, true
}

// escapeURL percent-encodes characters that a URL must not contain. It keeps existing escapes, and
// encodes any other %.
func escapeURL(text string) string {
	const hex = "0123456789ABCDEFabcdef"
	var escaped strings.Builder
	for i := range len(text) {
		c := text[i]
		isEscape := c == '%' && i+2 < len(text) && strings.IndexByte(hex, text[i+1]) >= 0 && strings.IndexByte(hex, text[i+2]) >= 0
		if c > ' ' && c < 0x7f && !strings.ContainsRune("\"<>\\^`{|}%", rune(c)) || isEscape {
			escaped.WriteByte(c)
		} else {
			escaped.WriteString("%" + strings.ToUpper(string([]byte{hex[c>>4], hex[c&15]})))
		}
	}
	return escaped.String()
}
