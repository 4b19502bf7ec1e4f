package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"burble/app/accounts"
	"burble/app/client"
	"burble/app/identity"
	"burble/app/protocol"
	"burble/streams"

	"github.com/google/uuid"
)

// upgrade gives a guest an account, and returns the user and the session.
func (s *testServer) upgrade(guest testUser) (testUser, accounts.Session) {
	s.t.Helper()
	signedIn, err := s.accounts.Upgrade(s.t.Context(), accounts.SignIn{
		User: identity.User{ID: guest.ID, Name: guest.Name}, Device: "test", Key: uuid.NewString(),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return testUser{guest.User, signedIn.Token}, signedIn.Session
}

// When a session ends, its live reads on another server must end, too. Later requests with its token must be refused.
func TestEndOfSessionEndsEverything(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		end  func(s *testServer, user testUser, session accounts.Session) error
	}{
		{"sign-out", func(s *testServer, user testUser, session accounts.Session) error {
			return s.accounts.SignOut(s.t.Context(), user.ID, user.ID, session.ID)
		}},
		{"ban", func(s *testServer, user testUser, _ accounts.Session) error {
			return s.accounts.Ban(s.t.Context(), accounts.Operator, user.ID, "spam")
		}},
		{"leave", func(s *testServer, _ testUser, session accounts.Session) error {
			return s.accounts.Leave(s.t.Context(), session)
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			here, there := startTwo(t, newMiniredis(t))
			ada, session := here.upgrade(here.signIn("Ada"))
			socket := there.connect(ada)
			socket.follow("lobby", "")
			here.post(ada, "lobby", "hello")
			var streams []*testStream
			for _, accept := range []string{"text/event-stream", "application/x-ndjson", "text/plain"} {
				stream := there.openStream("/r/lobby/events", ada.bearer(), "Accept: "+accept)
				stream.line()
				streams = append(streams, stream)
			}
			if err := test.end(here, ada, session); err != nil {
				t.Fatal(err)
			}
			if got := await[*client.Closed](socket); *got != (client.Closed{Code: "signed_out"}) {
				t.Errorf("last frame: got %+v, want closed with the code signed_out", got)
			}
			if code := socket.awaitClose(); code != 4001 {
				t.Errorf("close code: got %d, want 4001", code)
			}
			for _, stream := range streams {
				last := ""
				for line, err := stream.Line(); err == nil; line, err = stream.Line() {
					last += line + "\n"
				}
				if !strings.Contains(last, "signed_out") && !strings.HasSuffix(last, "You are signed out. --\n") {
					t.Errorf("the last lines of a live read are %q, want a notice that the session has ended", last)
				}
			}
			for _, path := range []string{"/rooms", "/r/lobby/messages", "/r/lobby/events", "/r/lobby/search?q=x"} {
				there.get(path, ada.bearer()).expectRefusal(t, http.StatusForbidden, protocol.NotAllowed, "authorization")
			}
			there.postJSON("/r/lobby/messages", `{"text":"x"}`, ada.bearer()).expectRefusal(t, http.StatusForbidden, protocol.NotAllowed, "authorization")
			page := there.get("/", "Cookie: burble="+ada.Token, "Accept: text/html")
			if cookie := sessionCookie(t, page); cookie == nil || cookie.Value != "" {
				t.Errorf("the cookie of the ended session: got %v, want it removed", cookie)
			}
			if strings.Contains(page.body, ">Ada<") {
				t.Error("the page of the ended session is still Ada's")
			}
		})
	}
}

func TestGuestWithAnAccountIsNoLongerAGuest(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	guest := here.signIn("Ada")
	posted := here.post(guest, "lobby", "as a guest")
	socket := there.connect(guest)
	ada, _ := here.upgrade(guest)
	if code := socket.awaitClose(); code != 4001 {
		t.Errorf("close code of the guest's socket: got %d, want 4001", code)
	}
	there.get("/rooms", guest.bearer()).expectRefusal(t, http.StatusForbidden, protocol.NotAllowed, "authorization")
	socket = there.connect(ada)
	socket.follow("lobby", "")
	socket.appendf(`{"type":"edit","room":"lobby","of":%q,"text":"as an account","key":%q}`, posted.ID, uuid.NewString())
}

func TestNewRoleMakesConnectionsReconnect(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	ada, _ := here.upgrade(here.signIn("Ada"))
	socket := there.connect(ada)
	if err := here.accounts.SetRole(t.Context(), accounts.Operator, ada.ID, accounts.Moderator); err != nil {
		t.Fatal(err)
	}
	if code := socket.awaitClose(); code != 1012 {
		t.Errorf("close code: got %d, want 1012", code)
	}
}

func TestModesWithoutAccount(t *testing.T) {
	t.Parallel()
	for mode, mayRead := range map[streams.Mode]bool{streams.AccountsPost: true, streams.AccountsOnly: false} {
		t.Run(fmt.Sprint(mode), func(t *testing.T) {
			t.Parallel()
			redis := newMiniredis(t)
			open := startServer(t, redis)
			guest := open.signIn("Ada")
			open.post(guest, "lobby", "hello")
			account, _ := open.upgrade(open.signIn("Bob"))
			s := startServer(t, redis, func(set *settings) { set.Mode = mode })
			s.postJSON("/session", `{"name":"Eve"}`).expectRefusal(t, http.StatusForbidden, protocol.NotAllowed, "")
			for _, user := range []testUser{guest, anonymous} {
				var headers []string
				if user != anonymous {
					headers = append(headers, user.bearer())
					s.postJSON("/r/lobby/messages", `{"text":"x"}`, headers...).expectRefusal(t, http.StatusForbidden, protocol.NotAllowed, "")
				}
				for _, path := range []string{"/rooms", "/r/lobby/messages", "/r/lobby/events", "/r/lobby/search?q=hello", "/r/lobby/frames"} {
					if !mayRead {
						s.get(path, headers...).expectRefusal(t, http.StatusForbidden, protocol.NotAllowed, "")
					}
				}
				socket := s.open(headers...)
				socket.send(`{"type":"follow","room":"lobby"}`)
				if mayRead {
					await[*client.Followed](socket)
				} else if got := await[*client.Error](socket); got.Code != string(protocol.NotAllowed) {
					t.Errorf("follow: got the error %+v, want not_allowed", got)
				}
			}
			s.post(account, "lobby", "from an account")
			if got := s.get("/r/lobby/messages", account.bearer()); !strings.Contains(got.body, "from an account") {
				t.Errorf("messages for an account: got %s, want the last message", got.body)
			}
		})
	}
}
