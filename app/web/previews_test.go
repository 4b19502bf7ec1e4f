package web

import (
	"compress/gzip"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"burble/app/accounts"
	"burble/app/client"
	"burble/app/fetch"
	"burble/app/fetch/fetchtest"
	"burble/app/identity"
	"burble/app/pictures"
	"burble/app/previews"
	"burble/app/protocol"
	"burble/streams"
	"burble/streams/redistest"

	"golang.org/x/text/encoding/charmap"
)

// madeCard is the response to POST /r/{room}/previews.
type madeCard struct {
	Token   string
	Message string
	Preview *struct {
		URL, Title, Description, Site string
		Picture                       *struct {
			URL, Color    string
			Width, Height int
		}
	}
}

// preview requests a card.
func (s *testServer) preview(user testUser, room, address string) response {
	s.t.Helper()
	return s.postJSON("/r/"+room+"/previews", `{"url":`+quote(address)+`}`, user.bearer())
}

// card requests a card and decodes the response.
func (s *testServer) card(user testUser, room, address string) (made madeCard) {
	s.t.Helper()
	got := s.preview(user, room, address)
	if got.status != http.StatusOK {
		s.t.Errorf("%s: status %d: %s", address, got.status, got.body)
	} else {
		got.decode(s.t, &made)
	}
	return made
}

// withPreviews lets a server fetch pages from a site.
func withPreviews(site *fetchtest.Site, stored previews.Pictures) func(*settings) {
	return func(set *settings) {
		set.Previews = &previews.Options{
			Client:   fetch.New(fetch.Options{UserAgent: "Burble test", Guard: site.Guard}),
			Pictures: stored, Decoder: pictures.New(),
		}
	}
}

// storedPictures stores nothing, and counts.
type storedPictures struct{ count atomic.Int32 }

func (p *storedPictures) AddPicture(context.Context, identity.User, string, string, *previews.Image) (string, error) {
	return fmt.Sprint("FILE", p.count.Add(1)), nil
}

// unreachable are addresses that a preview must not reach. PORT stands for the port of the site, which may be reached
// at 127.0.0.1 only. Names are resolved by the site's name server.
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

// notURLs are refused at once, because they are no links of messages.
var notURLs = []string{
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
	// Other services that a request must not reach: at another loopback address, at the same port, and on IPv6.
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
	began := time.Now() // of all, because addresses that mean the same share a fetch
	for _, address := range unreachable {
		address = strings.ReplaceAll(address, "PORT", site.Port)
		running.Go(func() {
			got := s.preview(ada, "lobby", address)
			if took := time.Since(began); got.status != http.StatusOK || took < 3*time.Second {
				t.Errorf("%s: status %d after %v: %s", address, got.status, took, got.body)
			}
			bodies.Store(got.body, address)
		})
	}
	running.Wait()
	bodies.Range(func(body, address any) bool {
		if body != `{"preview":null,"message":"No preview is available for this page."}` {
			t.Errorf("%s: got %s", address, body)
		}
		return true
	})
	for _, host := range site.Hosts() {
		if name, _, _ := strings.Cut(host, ":"); name != "site.test" && name != "rebinding.test" {
			t.Errorf("a request for %s arrived", host)
		}
	}
	for _, address := range notURLs {
		s.preview(ada, "lobby", address).expectRefusal(t, http.StatusBadRequest, protocol.BadField, "url")
	}
	for _, secret := range []string{site.Port, "127.0.0", "169.254", "loopback.test"} {
		if strings.Contains(strings.ReplaceAll(s.logs.String(), s.host, ""), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
	if len(unreachable)+len(notURLs) < 40 {
		t.Error("too few addresses")
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

func TestPreviewsOfPages(t *testing.T) {
	t.Parallel()
	html := func(w http.ResponseWriter, contentType, body string) {
		w.Header().Set("Content-Type", contentType)
		fmt.Fprint(w, body)
	}
	site := fetchtest.Start(t, func(w http.ResponseWriter, r *http.Request) {
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
			writePNG(w, 1280, 720)
		}
	})
	site.ResolveTo("site.test", "127.0.0.1")
	site.ResolveTo("xn--bcher-kva.test", "127.0.0.1")
	stored := new(storedPictures)
	s := startOne(t, withPreviews(site, stored))
	ada := s.signIn("Ada")
	tests := []struct {
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
	var running sync.WaitGroup
	for _, test := range tests {
		running.Go(func() {
			address := site.URL(test.host, test.path)
			made := s.card(ada, "lobby", address)
			if made.Preview == nil || made.Token == "" {
				t.Errorf("%s: got no card", address)
				return
			}
			card := made.Preview
			if card.Title != test.title || card.Description != test.description || card.Site != test.site || (card.Picture != nil) != test.picture {
				t.Errorf("%s: got %+v", address, card)
			}
			if card.Picture == nil {
				return
			}
			_, encoded, _ := strings.Cut(card.Picture.URL, ";base64,")
			data, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil || card.Picture.Width != 640 || card.Picture.Height != 360 || card.Picture.Color == "" || len(data) == 0 {
				t.Errorf("%s: got a picture of %d bytes, %+v", address, len(data), card.Picture)
			}
		})
	}
	running.Wait()
	if stored.count.Load() != 2 {
		t.Errorf("%d pictures were stored, want 2", stored.count.Load())
	}
}

// Equal URLs in a room are fetched once. Rooms share nothing, because a fast answer would tell what others link to.
func TestPreviewsShareFetchesOfARoom(t *testing.T) {
	t.Parallel()
	site := fetchtest.Start(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<title>Hello</title>")
	})
	s := startOne(t, withPreviews(site, nil))
	address := site.URL("127.0.0.1", "/")
	tokens := map[string]bool{}
	for _, name := range []string{"Ada", "Bob", "Eve"} {
		tokens[s.card(s.signIn(name), "lobby", address).Token] = true
	}
	if len(site.Hosts()) != 1 || len(tokens) != 3 || tokens[""] {
		t.Errorf("%d requests arrived and %d tokens were made, want 1 and 3", len(site.Hosts()), len(tokens))
	}
	s.card(s.signIn("Ada"), "garden", address)
	if len(site.Hosts()) != 2 {
		t.Errorf("%d requests arrived after another room asked, want 2", len(site.Hosts()))
	}
}

func TestPreviewsAreLimited(t *testing.T) {
	t.Parallel()
	site := fetchtest.Start(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<title>Hello</title>")
	})
	s := startOne(t, withPreviews(site, nil), func(set *settings) { set.RateAddress = 1000 })
	requestUntilRefused := func(users ...testUser) (count int) {
		for count = range 1000 {
			if got := s.preview(users[count%len(users)], "lobby", site.URL("127.0.0.1", "/")); got.status != http.StatusOK {
				got.expectRefusal(t, http.StatusTooManyRequests, protocol.RateLimited, "")
				return count
			}
		}
		t.Error("previews are not limited")
		return count
	}
	if count := requestUntilRefused(s.signIn("Ada")); count < 15 || count > 60 {
		t.Errorf("%d previews of one user were allowed, want about 15", count)
	}
	var users []testUser
	for i := range 40 {
		users = append(users, s.signIn(fmt.Sprint("User ", i)))
	}
	if count := requestUntilRefused(users...); count > 200 {
		t.Errorf("%d previews of one address were allowed, want about 45 more", count)
	}
}

// expectPreviewRefusal sends a message with a token, in each way to send one.
func (s *testServer) expectPreviewRefusal(t *testing.T, user testUser, room, text, token string) {
	t.Helper()
	body := func(more string) string {
		return `{"text":` + quote(text) + `,"preview":` + quote(token) + more + `}`
	}
	s.postJSON("/r/"+room+"/messages", body(""), user.bearer()).expectRefusal(t, http.StatusBadRequest, protocol.BadField, "preview")
	frame := body(`,"type":"send","room":"` + room + `","key":"` + client.NewKey() + `"`)
	s.postJSON("/r/"+room+"/frames", frame, user.bearer()).expectRefusal(t, http.StatusBadRequest, protocol.BadField, "preview")
	socket := s.connect(user)
	socket.send(frame)
	if refused := await[*client.Error](socket); refused.Code != "bad_field" || refused.Field != "preview" {
		t.Errorf("got the error %+v over a WebSocket", refused)
	}
}

func TestMessagesWithPreviews(t *testing.T) {
	t.Parallel()
	site := fetchtest.Start(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<title>Hello</title>")
	})
	s := startServer(t, redistest.Start(t).Redis(), withPreviews(site, nil))
	ada, eve := s.signIn("Ada"), s.signIn("Eve")
	s.post(ada, "lobby", "first")
	address := site.URL("127.0.0.1", "/page")
	token := s.card(ada, "lobby", address).Token
	text := "look: " + address
	before := s.history("lobby", "")
	expired := previews.NewTokens(s.options.Previews.Secret).Sign(previews.Card{URL: address, Title: "Hello"}, ada.ID, "lobby", time.Now().Add(-previews.TokenLife))
	s.expectPreviewRefusal(t, ada, "lobby", text, "nonsense")
	s.expectPreviewRefusal(t, ada, "lobby", text, expired)
	s.expectPreviewRefusal(t, ada, "garden", text, token)
	s.expectPreviewRefusal(t, eve, "lobby", text, token)
	s.expectPreviewRefusal(t, ada, "lobby", "no link", token)
	s.expectPreviewRefusal(t, ada, "lobby", "in code: `"+address+"`", token)
	sent := previews.Card{URL: address, Title: "Hello", Picture: &previews.Picture{File: strings.Repeat("A", 26)}} // there is no such upload (any more)
	s.expectPreviewRefusal(t, ada, "lobby", text, previews.NewTokens(s.options.Previews.Secret).Sign(sent, ada.ID, "lobby", time.Now()))
	expectUnchanged(t, s, before)

	got := s.postJSON("/r/lobby/messages", `{"text":`+quote(text)+`,"preview":`+quote(token)+`}`, ada.bearer())
	if got.status != http.StatusCreated {
		t.Fatalf("status %d: %s", got.status, got.body)
	}
	newest := func() streams.Entry {
		page, err := s.chat.Page(t.Context(), identity.User{}, "lobby", streams.Where{Limit: 1})
		if err != nil || len(page.Entries) != 1 {
			t.Fatalf("got %d entries, error %v", len(page.Entries), err)
		}
		return page.Entries[0]
	}
	stored := newest()
	if card := stored.Preview; stored.Text != text || card == nil || card.URL != address || card.Title != "Hello" {
		t.Errorf("got the message %+v with the preview %+v", stored, card)
	}
	socket := s.connect(ada)
	edit := func(text string) streams.Entry {
		socket.appendf(`{"type":"edit","room":"lobby","of":%q,"text":%s,"key":%q}`, stored.ID, quote(text), client.NewKey())
		return newest()
	}
	if edit("an edit: "+address).Preview == nil {
		t.Error("an edit that keeps the link removed the preview")
	}
	if edit("no link").Preview != nil {
		t.Error("the preview remained after its link was removed")
	}
	if edit("again: "+address).Preview == nil {
		t.Error("the preview did not return with its link")
	}
}

func TestPreviewsNeedAName(t *testing.T) {
	t.Parallel()
	site := fetchtest.Start(t, func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") })
	s := startOne(t, withPreviews(site, nil))
	s.postJSON("/r/lobby/previews", `{"url":`+quote(site.URL("127.0.0.1", "/"))+`}`).expectRefusal(t, http.StatusForbidden, protocol.NotAllowed, "")
	s.preview(s.signIn("Ada"), "Not-a-room", site.URL("127.0.0.1", "/")).expectRefusal(t, http.StatusBadRequest, protocol.BadRoom, "room")
}

// TestHiddenRoomsLookLikeRoomsThatNeverExisted checks the same for all others.
func TestPreviewsNeedTheRightToPost(t *testing.T) {
	t.Parallel()
	site := fetchtest.Start(t, func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") })
	s := startServer(t, redistest.Start(t).Redis(), withPreviews(site, nil))
	ada, bob := s.newAccount("Ada", accounts.Member), s.newAccount("Bob", accounts.Member)
	room, address := s.newPrivateRoom(ada, bob), site.URL("127.0.0.1", "/")
	s.preview(s.signIn("Eve"), room, address).expectRefusal(t, http.StatusNotFound, protocol.NotFound, "room")
	s.manage(ada, "PATCH", "/r/"+room, `{"locked":true}`, http.StatusOK)
	s.preview(bob, room, address).expectRefusal(t, http.StatusForbidden, protocol.NotAllowed, "")
}

func TestPagesOfDirectRoomsOfferPreviews(t *testing.T) {
	t.Parallel()
	s := startServer(t, redistest.Start(t).Redis(), withPreviews(fetchtest.Start(t, http.NotFound), nil))
	ada, bob := s.newAccount("Ada", accounts.Member), s.newAccount("Bob", accounts.Member)
	direct := s.newRoom(ada, `{"kind":"direct","members":["`+bob.ID+`"]}`)
	for room, want := range map[string]string{"lobby": "on", s.newPrivateRoom(ada, bob): "on", direct: "ask"} {
		if page := s.get("/r/"+room, ada.bearer(), "Accept: text/html"); !strings.Contains(page.body, ` data-previews="`+want+`"`) {
			t.Errorf("the page of %s does not have data-previews=%q", room, want)
		}
	}
}

func TestPreviewsCanBeOff(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	if got := s.preview(s.signIn("Ada"), "lobby", "https://example.org/"); got.status != http.StatusNotFound && got.status != http.StatusMethodNotAllowed {
		t.Errorf("status %d, want 404 or 405", got.status)
	}
	if page := s.get("/r/lobby"); strings.Contains(page.body, "data-previews") {
		t.Error("the page has data-previews")
	}
}
