package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
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
)

// cardResponse is the response to POST /r/{room}/previews.
type cardResponse struct {
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
func (s *testServer) card(user testUser, room, address string) (made cardResponse) {
	s.t.Helper()
	got := s.preview(user, room, address)
	if got.status != http.StatusOK {
		s.t.Errorf("%s: got status %d, want 200: %s", address, got.status, got.body)
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

// pictureCounter counts the pictures that it should store, but stores none of them.
type pictureCounter struct{ count atomic.Int32 }

func (p *pictureCounter) AddPicture(context.Context, identity.User, string, string, *previews.Image) (string, error) {
	return fmt.Sprint("FILE", p.count.Add(1)), nil
}

// Equal URLs in a room are fetched once. Rooms do not
// share fetches, because a fast response would reveal that another room has the link.
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
		t.Errorf("%d requests arrived after a request from another room, want 2", len(site.Hosts()))
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
		t.Errorf("%d previews of one user were allowed, want 15 to 60", count)
	}
	var users []testUser
	for i := range 40 {
		users = append(users, s.signIn(fmt.Sprint("User ", i)))
	}
	if count := requestUntilRefused(users...); count > 200 {
		t.Errorf("%d previews of one address were allowed, want at most 200", count)
	}
}

// expectPreviewRefusal sends a message with a preview's token in every possible way, and checks that the server refuses
// each.
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
		t.Errorf("got the error %+v over a WebSocket, want bad_field about the preview", refused)
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
	expired := previews.NewTokens(s.options.Previews.Secret).Sign(previews.Card{URL: address, Title: "Hello"}, ada.ID, "lobby", time.Now().Add(-previews.TokenLifetime))
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
		t.Fatalf("got status %d, want 201: %s", got.status, got.body)
	}
	newest := func() streams.Entry {
		page, err := s.chat.Page(t.Context(), identity.User{}, "lobby", streams.PageQuery{Limit: 1})
		if err != nil || len(page.Entries) != 1 {
			t.Fatalf("got %d entries and the error %v, want one entry", len(page.Entries), err)
		}
		return page.Entries[0]
	}
	stored := newest()
	if card := stored.Preview; stored.Text != text || card == nil || card.URL != address || card.Title != "Hello" {
		t.Errorf("got the message %+v with the preview %+v, want the text %q and the preview of %s", stored, card, text, address)
	}
	socket := s.connect(ada)
	edit := func(text string) streams.Entry {
		socket.appendf(`{"type":"edit","room":"lobby","of":%q,"text":%s,"key":%q}`, stored.ID, quote(text), client.NewKey())
		return newest()
	}
	if edit("an edit: "+address).Preview == nil {
		t.Error("an edit removed the preview, although it kept the link")
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

// TestHiddenRoomsLookLikeRoomsThatNeverExisted checks that nobody else can request previews in a hidden room.
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
		t.Error("the page has data-previews although previews are off")
	}
}
