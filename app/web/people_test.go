package web

import (
	"burble/app/client"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"burble/app/protocol"
	"burble/streams"
	"burble/streams/redistest"

	"github.com/redis/go-redis/v9"
)

func isKind(kind streams.SignalKind) func(*client.Signal) bool {
	return func(frame *client.Signal) bool { return frame.Kind == string(kind) }
}

func TestPeopleComeAndTypeAndLeaveOnAnyServer(t *testing.T) {
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		here, there := startTwo(t, backend.Redis)
		ada, bob := here.signIn("Ada"), here.signIn("Bob")
		one := here.connect(ada)
		one.follow("lobby", "")
		awaitWhere(one, func(frame *client.Present) bool { return frame.Count == 1 && frame.Users[0].Name == "Ada" })

		two := there.connect(bob)
		two.follow("lobby", "")
		both := awaitWhere(two, func(frame *client.Present) bool { return frame.Count == 2 })
		if names := []string{both.Users[0].Name, both.Users[1].Name}; !slices.Contains(names, "Ada") || !slices.Contains(names, "Bob") {
			t.Errorf("present: %v", names)
		}
		came := awaitWhere(one, func(frame *client.Signal) bool { return frame.Kind == "came" && frame.User.Name == "Bob" })
		if came.User.ID != bob.User.ID {
			t.Errorf("came: %+v", came)
		}
		two.sendf(`{"type":"typing","room":"lobby"}`)
		two.sendf(`{"type":"typing","room":"lobby"}`) // within 3 s: not told again
		if typing := awaitWhere(one, isKind(streams.Typing)); typing.User.Name != "Bob" {
			t.Errorf("typing: %+v", typing)
		}
		two.sendf(`{"type":"unfollow","room":"lobby"}`)
		left := awaitWhere(one, func(frame *client.Signal) bool {
			if frame.Kind == "typing" {
				t.Error("typing was told twice within 3 s")
			}
			return frame.Kind == "left"
		})
		if left.User.Name != "Bob" {
			t.Errorf("left: %+v", left)
		}
	})
}

func TestReadingOnOneDeviceIsKnownOnTheOthersAndToNobodyElse(t *testing.T) {
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		here, there := startTwo(t, backend.Redis)
		ada, bob := here.signIn("Ada"), here.signIn("Bob")
		first := here.post(ada, "lobby", "one").ID
		here.post(ada, "lobby", "two")
		last := here.post(ada, "lobby", "three for @bob").ID

		phone, desk, other := here.connect(bob), there.connect(bob), there.connect(ada)
		for _, socket := range []*testSocket{phone, desk, other} {
			socket.follow("lobby", "")
		}
		phone.sendf(`{"type":"read","room":"lobby","id":"%s"}`, first)
		if seen := awaitWhere(desk, isKind(streams.Seen)); seen.ID != first || seen.User.ID != bob.User.ID {
			t.Errorf("seen: %+v", seen)
		}
		expectRoom(t, there, bob, 2, 1)
		desk.sendf(`{"type":"read","room":"lobby","id":"%s"}`, last)
		awaitWhere(phone, func(frame *client.Signal) bool { return frame.Kind == "read" && frame.ID == last })
		expectRoom(t, here, bob, 0, 0)
		other.sync()
		for _, frame := range other.waiting {
			if strings.Contains(frame.text, `"kind":"read"`) {
				t.Errorf("somebody else was told: %s", frame.text)
			}
		}
	})
}

// expectRoom looks at the one room there is, as GET /rooms lists it for the guest.
func expectRoom(t *testing.T, server *testServer, guest testUser, unread, mentions int) {
	t.Helper()
	var rooms []struct {
		Room, Title, Last string
		Unread, Mentions  int
	}
	server.get("/rooms", guest.bearer()).decode(t, &rooms)
	if len(rooms) != 1 || rooms[0].Room != "lobby" || rooms[0].Unread != unread || rooms[0].Mentions != mentions {
		t.Errorf("rooms: %+v; want %d unread, %d mentions", rooms, unread, mentions)
	}
}

func TestTopicReachesReadersAndTheListOfRooms(t *testing.T) {
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		server := startServer(t, backend.Redis)
		ada := server.signIn("Ada")
		socket := server.connect(ada)
		socket.follow("lobby", "")
		socket.appendf(`{"type":"topic","room":"lobby","key":"%s","text":" Tea  and\ncake "}`, client.NewKey())
		entry := socket.read("lobby", 1)[0]
		if entry.Kind != "topic" || entry.Text != "Tea and cake" {
			t.Errorf("entry %+v", entry)
		}
		var rooms []struct{ Room, Title string }
		server.get("/rooms").decode(t, &rooms)
		if len(rooms) != 1 || rooms[0].Title != "Tea and cake" {
			t.Errorf("rooms %+v", rooms)
		}
		socket.sendf(`{"type":"topic","room":"lobby","key":"%s","text":"%s"}`, client.NewKey(), strings.Repeat("x", protocol.MaxTopic+1))
		if refused := await[*client.Error](socket); refused.Code != "too_long" || refused.Field != "text" {
			t.Errorf("refused: %v", refused)
		}
	})
}

// found is the answer of one search.
type found struct {
	entries  []client.Entry
	searched int
	older    string
}

func (s *testServer) search(query string) (result found) {
	s.t.Helper()
	answered := s.get("/r/lobby/search?" + query)
	if answered.status != 200 {
		s.t.Fatalf("search %s: %d %s", query, answered.status, answered.body)
	}
	lines := strings.Split(strings.TrimSpace(answered.body), "\n")
	var done struct {
		Done     bool
		Searched int
		Older    string
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &done); err != nil || !done.Done {
		s.t.Fatalf("search %s ends with %q", query, lines[len(lines)-1])
	}
	for _, line := range lines[:len(lines)-1] {
		result.entries = append(result.entries, decodeEntry(s.t, line))
	}
	result.searched, result.older = done.Searched, done.Older
	return result
}

func TestSearchFindsMessagesAsTheyAreNowNewestFirst(t *testing.T) {
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		server := startServer(t, backend.Redis)
		ada, bob := server.signIn("Ada"), server.signIn("Bob")
		first := server.post(ada, "lobby", "Tea at four?").ID
		gone := server.post(ada, "lobby", "secret tea").ID
		server.post(bob, "lobby", "no TEA for me")
		server.post(bob, "lobby", "coffee")
		socket := server.connect(ada)
		socket.appendf(`{"type":"edit","room":"lobby","key":"%s","of":"%s","text":"Tea at five?"}`, client.NewKey(), first)
		socket.appendf(`{"type":"delete","room":"lobby","key":"%s","of":"%s"}`, client.NewKey(), gone)

		if got := texts(server.search("q=tea").entries); !slices.Equal(got, []string{"no TEA for me", "Tea at five?"}) {
			t.Errorf("tea: %q", got)
		}
		if got := texts(server.search("q=tea&from=ada").entries); !slices.Equal(got, []string{"Tea at five?"}) {
			t.Errorf("tea of Ada: %q", got)
		}
		if got := server.search("q=four"); len(got.entries) != 0 || got.older != "" || got.searched != 4 {
			t.Errorf("what was edited away: %+v", got)
		}
		if got := texts(server.search("q=tea&after=" + first).entries); !slices.Equal(got, []string{"no TEA for me"}) {
			t.Errorf("tea after the first: %q", got)
		}
	})
}

func TestSearchGoesOnWhereItStopped(t *testing.T) {
	server := startOne(t)
	ada := server.signIn("Ada")
	socket := server.connect(ada)
	for i := range 130 {
		socket.post("lobby", fmt.Sprintf("needle %d", i))
	}
	var all []string
	query := "q=needle"
	for pages := 0; ; pages++ {
		result := server.search(query)
		all = append(all, texts(result.entries)...)
		if result.older == "" {
			break
		}
		if query = "q=needle&before=" + result.older; pages > 5 {
			t.Fatal("it never ends")
		}
	}
	slices.Reverse(all)
	for i, text := range all {
		if text != fmt.Sprintf("needle %d", i) {
			t.Fatalf("%d is %q", i, text)
		}
	}
	if len(all) != 130 {
		t.Errorf("found %d of 130", len(all))
	}
}

func TestSearchThatRedisInterruptsSaysSo(t *testing.T) {
	wire := redistest.StartProxy(t, newMiniredis(t).Addrs[0])
	server := startServer(t, &redis.UniversalOptions{Addrs: []string{wire.Addr}})
	socket := server.connect(server.signIn("Ada"))
	for i := range 3 * searchPage {
		socket.post("lobby", fmt.Sprint(i))
	}
	wire.SetFaults(redistest.Faults{Delay: 20 * time.Millisecond})
	whole := server.openStream("/r/lobby/search?q=" + fmt.Sprint(searchPage))
	server.engine.SetStatus(true) // is not for who searches, and must not end it
	if got := whole.jsonLine().Text; got != fmt.Sprint(searchPage) {
		t.Errorf("found %q", got)
	}
	if line := whole.line(); !strings.HasPrefix(line, `{"done":true,`) {
		t.Errorf("it ends with %s", line)
	}
	whole.Line()                                                    // the end: one may search again
	wire.SetFaults(redistest.Faults{Delay: 300 * time.Millisecond}) // or the search could end before it is cut off
	cut := server.openStream("/r/lobby/search?q=" + fmt.Sprint(3*searchPage-1))
	cut.jsonLine()
	wire.Reroute("")
	if line := cut.line(); !strings.HasPrefix(line, `{"type":"error","code":"unavailable",`) {
		t.Errorf("cut off, it ends with %s", line)
	}
	if line, err := cut.Line(); err != io.EOF {
		t.Errorf("and goes on with %q, %v", line, err)
	}
	refused := server.get("/r/lobby/search?q=1")
	refused.expectRefusal(t, 503, protocol.Unavailable, "")
	if refused.header.Get("Retry-After") == "" {
		t.Error("it does not say when to come back")
	}
}

// A room may be full of what is no message, as reactions. Reading all of that would be
// without bounds.
func TestSearchOfARoomOfFewMessagesIsBounded(t *testing.T) {
	backend := redistest.Single(t)
	server := startServer(t, backend.Redis)
	server.post(server.signIn("Ada"), "lobby", "needle")
	room := backend.Client.Keys(t.Context(), "*:room:lobby").Val()
	const fill = "for _ = 1, 10000 do redis.call('XADD', KEYS[1], '*', 'kind', 'react') end"
	for range searchReads * 4_100 / 10_000 {
		if err := backend.Client.Eval(t.Context(), fill, room).Err(); err != nil && err != redis.Nil {
			t.Fatal(err)
		}
	}
	result := server.search("q=needle")
	if result.searched != 0 || result.older == "" {
		t.Errorf("all was read: %+v", result)
	}
	if got := texts(server.search("q=needle&before=" + result.older).entries); !slices.Equal(got, []string{"needle"}) {
		t.Errorf("found from there on: %q", got)
	}
}

func TestSearchRefusesWhatItCannotRead(t *testing.T) {
	server := startOne(t)
	for query, field := range map[string]string{
		"": "q", "q=": "q", "q=" + strings.Repeat("x", 201): "q", "q=a&before=x": "before", "q=a&before=": "before", "q=&from=Ada": "q", "q=a&after=1-1@e": "after",
		"q=a&limit=3": "limit",
	} {
		server.get("/r/lobby/search?"+query).expectRefusal(t, 400, protocol.BadField, field)
	}
	server.get("/r/NO/search?q=a").expectRefusal(t, 400, protocol.BadRoom, "room")
}

// A watcher reads a room and is told of its people, and is none of them.
func TestWatchingARoomIsNotBeingThere(t *testing.T) {
	here, there := startTwo(t, redistest.Start(t).Redis())
	ada, bob := here.signIn("Ada"), here.signIn("Bob")
	one := here.connect(ada)
	one.sendf(`{"type":"follow","room":"lobby","last":0,"watch":true}`)
	awaitWhere(one, func(frame *client.Present) bool { return frame.Count == 0 })
	two := there.connect(bob)
	two.follow("lobby", "")
	awaitWhere(two, func(frame *client.Present) bool { return frame.Count == 1 && frame.Users[0].Name == "Bob" })
	awaitWhere(one, func(frame *client.Signal) bool { return frame.Kind == "came" && frame.User.Name == "Bob" })
	one.follow("lobby", "")
	awaitWhere(one, func(frame *client.Present) bool { return frame.Count == 2 })
	one.follow("lobby", `,"last":0,"watch":true`)
	one.sendf(`{"type":"typing","room":"lobby"}`)
	left := awaitWhere(two, func(frame *client.Signal) bool { return frame.Kind != "came" })
	if left.Kind != "left" || left.User.Name != "Ada" {
		t.Errorf("who only watches from now on: %+v", left)
	}
}

// The limits of a search, see package chat.
const (
	searchPage  = 200
	searchReads = 100
)
