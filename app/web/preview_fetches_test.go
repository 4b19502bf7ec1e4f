package web

import (
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"burble/app/fetch/fetchtest"
	"burble/app/protocol"

	"golang.org/x/text/encoding/charmap"
)

// unreachable lists URLs that a preview must not reach. PORT stands for the port of the test's site, which previews may
// reach only at 127.0.0.1. The site's name server resolves the names.
var unreachable = []string{
	// IPv4, and its other forms.
	"http://127.0.0.1/", "http://127.0.0.2:PORT/", "http://0.0.0.0:PORT/", "http://10.0.0.1/", "http://192.168.1.1/", "http://172.16.0.1/",
	"http://100.64.0.1/", "http://198.18.0.1/", "http://224.0.0.1/", "http://255.255.255.255/",
	"http://2130706434:PORT/", "http://0x7f000002:PORT/", "http://0177.0.0.2:PORT/", "http://127.2:PORT/", "http://0:PORT/", "http://127.0.0.2.:PORT/",
	"http://１２７.０.０.２:PORT/", "http://%31%32%37.0.0.2:PORT/",
	// IPv6, and IPv4 in it: mapped, compatible, NAT64, 6to4, Teredo, ISATAP.
	"http://[::1]:PORT/", "http://[::]:PORT/", "http://[fc00::1]/", "http://[fe80::1]/", "http://[ff02::1]/",
	"http://[::ffff:127.0.0.2]:PORT/", "http://[::ffff:7f00:2]:PORT/", "http://[::127.0.0.2]:PORT/", "http://[64:ff9b::7f00:2]/",
	"http://[2002:7f00:2::]/", "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", "http://[2600:1::5efe:127.0.0.2]/",
	// Metadata services.
	"http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/latest/meta-data/", "http://169.254.170.2/v2/credentials", "http://100.100.100.200/",
	"http://168.63.129.16/", "http://metadata.google.internal/computeMetadata/v1/", "http://metadata.test/",
	// Names.
	"http://localhost/", "http://localhost./", "http://loopback.test:PORT/", "http://private.test/", "http://private6.test/", "http://mapped.test:PORT/",
	"http://nothing.test/", "https://loopback.test/",
	// Other ports and credentials.
	"http://site.test:22/", "http://127.0.0.1:6379/", "http://user@site.test:PORT/", "http://user:password@127.0.0.1:PORT/",
	// Redirects, and names that change.
	"http://site.test:PORT/to?http://127.0.0.2:PORT/", "http://site.test:PORT/to?http://localhost/", "http://site.test:PORT/to?http://[::1]:PORT/",
	"http://site.test:PORT/to?http://169.254.169.254/latest/", "http://site.test:PORT/to?http://loopback.test:PORT/", "http://site.test:PORT/to?//127.0.0.2:PORT/",
	"http://site.test:PORT/to?file:///etc/passwd", "http://site.test:PORT/to?gopher://127.0.0.1:6379/_INFO", "http://site.test:PORT/loop",
	"http://rebinding.test:PORT/again",
}

// invalidLinks are refused at once, because a message cannot contain them as links.
var invalidLinks = []string{
	"", "example.org", "//example.org/", "ftp://example.org/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_INFO", "javascript:alert(1)",
	"data:text/html,a", "http://", "http:///path", "http://a b/", "http://[fe80::1%25lo]/", "http://[fe80::1%25eth0]/", "http://a:80:80/", "mailto:ada@example.org",
	"https://example.org/" + strings.Repeat("a", 3000),
}

func TestPreviewsOfUnreachableAddresses(t *testing.T) {
	t.Parallel()
	site := fetchtest.Start(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/to":
			w.Header().Set("Location", r.URL.RawQuery)
			w.WriteHeader(http.StatusFound)
		case "/loop", "/again":
			w.Header().Set("Location", r.URL.Path)
			w.WriteHeader(http.StatusFound)
		default:
			t.Errorf("a request for %s%s arrived", r.Host, r.URL)
		}
	})
	// Other services, which no request may reach, use the same port at another loopback address and on IPv6.
	reached := func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("a request for %s arrived at another service", r.Host)
	}
	fetchtest.Listen(t, "127.0.0.2:"+site.Port, reached)
	fetchtest.Listen(t, "[::1]:"+site.Port, reached)
	site.ResolveTo("site.test", "127.0.0.1")
	site.ResolveTo("loopback.test", "127.0.0.2")
	site.ResolveTo("private.test", "10.0.0.1")
	site.ResolveTo("private6.test", "fd00::1")
	site.ResolveTo("mapped.test", "::ffff:127.0.0.2")
	site.ResolveTo("metadata.test", "169.254.169.254")
	site.ResolveTo("metadata.google.internal", "169.254.169.254")
	site.ResolveTo("rebinding.test", "127.0.0.1", "127.0.0.1", "127.0.0.2")
	s := startOne(t, withPreviews(site, nil))
	ada := s.signIn("Ada")
	var bodies sync.Map
	var running sync.WaitGroup
	began := time.Now() // before all of them, because URLs that mean the same share a fetch
	for _, address := range unreachable {
		address = strings.ReplaceAll(address, "PORT", site.Port)
		running.Go(func() {
			got := s.preview(ada, "lobby", address)
			if took := time.Since(began); got.status != http.StatusOK || took < 3*time.Second {
				t.Errorf("%s: got status %d after %v, want 200 after at least 3 seconds: %s", address, got.status, took, got.body)
			}
			bodies.Store(got.body, address)
		})
	}
	running.Wait()
	bodies.Range(func(body, address any) bool {
		if body != `{"preview":null,"message":"No preview is available for this page."}` {
			t.Errorf("%s: got %s, want no preview", address, body)
		}
		return true
	})
	for _, host := range site.Hosts() {
		if name, _, _ := strings.Cut(host, ":"); name != "site.test" && name != "rebinding.test" {
			t.Errorf("a request for %s arrived", host)
		}
	}
	for _, address := range invalidLinks {
		s.preview(ada, "lobby", address).expectRefusal(t, http.StatusBadRequest, protocol.BadField, "url")
	}
	for _, secret := range []string{site.Port, "127.0.0", "169.254", "loopback.test"} {
		if strings.Contains(strings.ReplaceAll(s.logs.String(), s.host, ""), secret) {
			t.Errorf("the log contains %q", secret)
		}
	}
	if len(unreachable)+len(invalidLinks) < 40 {
		t.Error("the test covers fewer than 40 addresses")
	}
}

// writePNG writes a picture.
func writePNG(w http.ResponseWriter, width, height int) {
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range picture.Pix {
		picture.Pix[i] = byte(i % 251)
	}
	picture.Set(0, 0, color.White)
	w.Header().Set("Content-Type", "image/png")
	png.Encode(w, picture)
}

// servePage serves pages of a site, and their pictures.
func servePage(w http.ResponseWriter, r *http.Request) {
	html := func(w http.ResponseWriter, contentType, body string) {
		w.Header().Set("Content-Type", contentType)
		fmt.Fprint(w, body)
	}
	switch r.URL.Path {
	case "/latin1":
		text, _ := charmap.ISO8859_1.NewEncoder().String("<title>Größe</title>")
		html(w, "text/html; charset=iso-8859-1", text)
	case "/meta-charset":
		text, _ := charmap.Windows1251.NewEncoder().String("<meta charset=windows-1251><title>Привет</title>")
		html(w, "text/html", text)
	case "/og":
		html(w, "text/html", `<title>wrong</title><meta property="og:title" content="Launch"><meta property="og:description" content="All about it">
			<meta property="og:site_name" content="Example"><meta property="og:image" content="/picture.png">`)
	case "/title-only":
		html(w, "text/html", "<title>Only a title</title>")
	case "/relative/page":
		html(w, "text/html", `<title>Relative</title><meta property="og:image" content="../picture.png">`)
	case "/huge":
		html(w, "text/html", "<title>Huge</title><style>"+strings.Repeat("a{}", 300<<10)+`</style><meta property="og:title" content="too late">`)
	case "/gzip":
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		fmt.Fprint(zip, "<title>Zipped</title>")
		zip.Close()
	case "/redirect3", "/redirect2", "/redirect1":
		n, _ := strconv.Atoi(r.URL.Path[len("/redirect"):])
		http.Redirect(w, r, []string{"/title-only", "/redirect1", "/redirect2"}[n-1], http.StatusFound)
	case "/straße":
		html(w, "text/html; charset=utf-8", "<title>Straße</title>")
	case "/not-a-picture":
		html(w, "text/html", `<title>Lies</title><meta property="og:image" content="/lies.png">`)
	case "/lies.png":
		html(w, "image/png", "<svg onload=alert(1)>")
	case "/svg":
		html(w, "text/html", `<title>SVG</title><meta property="og:image" content="/picture.svg">`)
	case "/picture.svg":
		html(w, "image/svg+xml", "<svg onload=alert(1) />")
	case "/private-picture":
		html(w, "text/html", `<title>Private</title><meta property="og:image" content="http://127.0.0.2:1/picture.png">`)
	case "/hostile":
		html(w, "text/html", "<title>\u202eevil\u0007&lt;script&gt;</title>")
	case "/picture.png":
		writePNG(w, 1280, 72)
	}
}

// pagesWithCards are pages of servePage, with the expected contents of their cards.
var pagesWithCards = []struct {
	host, path, title, description, site string
	picture                              bool
}{
	{"site.test", "/latin1", "Größe", "", "", false},
	{"site.test", "/meta-charset", "Привет", "", "", false},
	{"site.test", "/og", "Launch", "All about it", "Example", true},
	{"site.test", "/title-only", "Only a title", "", "", false},
	{"site.test", "/relative/page", "Relative", "", "", true},
	{"site.test", "/huge", "Huge", "", "", false},
	{"site.test", "/gzip", "Zipped", "", "", false},
	{"site.test", "/redirect3", "Only a title", "", "", false},
	{"bücher.test", "/straße", "Straße", "", "", false},
	{"site.test", "/not-a-picture", "Lies", "", "", false},
	{"site.test", "/svg", "SVG", "", "", false},
	{"site.test", "/private-picture", "Private", "", "", false},
	{"site.test", "/hostile", "evil<script>", "", "", false},
	{"127.0.0.1", "/title-only?a=b&c=d#fragment", "Only a title", "", "", false},
}

func TestPreviewsOfPages(t *testing.T) {
	t.Parallel()
	site := fetchtest.Start(t, servePage)
	site.ResolveTo("site.test", "127.0.0.1")
	site.ResolveTo("xn--bcher-kva.test", "127.0.0.1")
	stored := new(pictureCounter)
	s := startOne(t, withPreviews(site, stored))
	ada := s.signIn("Ada")
	var running sync.WaitGroup
	for _, test := range pagesWithCards {
		running.Go(func() {
			address := site.URL(test.host, test.path)
			made := s.card(ada, "lobby", address)
			if made.Preview == nil || made.Token == "" {
				t.Errorf("%s: got no card, want one", address)
				return
			}
			card := made.Preview
			if card.Title != test.title || card.Description != test.description || card.Site != test.site || (card.Picture != nil) != test.picture {
				t.Errorf("%s: got the card %+v, want %+v", address, card, test)
			}
			if card.Picture == nil {
				return
			}
			_, encoded, _ := strings.Cut(card.Picture.URL, ";base64,")
			data, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil || card.Picture.Width != 640 || card.Picture.Height != 36 || card.Picture.Color == "" || len(data) == 0 {
				t.Errorf("%s: got a picture of %d bytes and %+v, want 640 x 36 pixels with a color", address, len(data), card.Picture)
			}
		})
	}
	running.Wait()
	if stored.count.Load() != 2 {
		t.Errorf("%d pictures were stored, want 2", stored.count.Load())
	}
}
