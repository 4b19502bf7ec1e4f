package web

import (
	"context"
	"fmt"
	"io"
	"net"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"burble/streams/redistest"

	fasthttpws "github.com/fasthttp/websocket"
	"github.com/redis/go-redis/v9"
)

func TestHelloSaysWhoTheServerTakesYouFor(t *testing.T) {
	s := startAlone(t)
	ada := s.guest("Ada \"the first\" Lovelace")
	is := fmt.Sprintf(`{"id":%q,"name":%q}`, ada.User.ID, ada.User.Name)
	tests := []struct {
		name, user string
		headers    []string
	}{
		{"nobody", "null", nil},
		{"a token", is, []string{ada.bearer()}},
		{"a token, in small letters", is, []string{"Authorization: bearer " + ada.Token}},
		{"a cookie, from this host", is, []string{"Cookie: burble=" + ada.Token, "Origin: http://" + s.host}},
		{"a cookie that is no good", "null", []string{"Cookie: burble=1.forged", "Origin: http://" + s.host}},
	}
	for _, test := range tests {
		c, _ := s.dial(test.headers...)
		want := `{"type":"hello","protocol":"burble.v1","user":` + test.user + `,"durability":"memory","limits":{"text":4000}}`
		if hello := c.await("hello"); hello.raw != want {
			t.Errorf("%s: hello is %s, want %s", test.name, hello.raw, want)
		}
	}
}

func TestSocketNegotiatesTheSubprotocolAndNothingElse(t *testing.T) {
	s := startAlone(t)
	for _, test := range []struct {
		name    string
		offered []string
		want    string
	}{
		{"ours", []string{"burble.v1"}, "burble.v1"},
		{"ours among others", []string{"burble.v2", "burble.v1"}, "burble.v1"},
		{"none", nil, ""},
		{"only another", []string{"mqtt"}, ""},
	} {
		dialer := fasthttpws.Dialer{Subprotocols: test.offered, EnableCompression: true}
		conn, response, err := dialer.Dial("ws://"+s.host+"/ws", nil)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if conn.Subprotocol() != test.want {
			t.Errorf("%s: got %q", test.name, conn.Subprotocol())
		}
		if extensions := response.Header.Get("Sec-WebSocket-Extensions"); extensions != "" {
			t.Errorf("%s: negotiated %s: what a client compresses may grow without bound here", test.name, extensions)
		}
		conn.Close()
	}
}

func TestFollowSaysWhereItBegins(t *testing.T) {
	here, there := startTwo(t, imitation(t))
	ada := here.guest("Ada")
	var stored []posted
	for i := range 60 {
		stored = append(stored, here.say(ada, "lobby", fmt.Sprint(i)))
	}
	epoch := stored[0].Cursor[strings.Index(stored[0].Cursor, "@"):]
	place := func(i int) string { // the cursor before entry i
		if i == 0 {
			return "0-0" + epoch
		}
		return stored[i-1].Cursor
	}
	tests := []struct {
		name, more, state string
		from              int // the entry it begins with
	}{
		{"50 if it does not say", ``, "fresh", 10},
		{"the newest 3", `,"last":3`, "fresh", 57},
		{"all of them", `,"last":500`, "fresh", 0},
		{"none of them", `,"last":0`, "fresh", 60},
		{"from the very beginning", `,"after":"0-0"`, "resumed", 0},
		{"from before the room was there", `,"after":"0-0@0"`, "resumed", 0},
		{"after a cursor", `,"after":"` + stored[4].Cursor + `"`, "resumed", 5},
		{"after an entry ID", `,"after":"` + stored[4].ID + `"`, "resumed", 5},
		{"after the last", `,"after":"` + stored[59].Cursor + `"`, "resumed", 60},
		{"after a cursor of another history", `,"after":"` + stored[4].ID + `@ELSEWHERE"`, "reset", 10},
		{"after a cursor beyond the last", `,"after":"9999999999999-0` + epoch + `"`, "reset", 10},
		{"after an entry that never was", `,"after":"1-1` + epoch + `"`, "reset", 10},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := there.connect(testGuest{})
			followed := c.follow("lobby", test.more)
			want := fmt.Sprintf(`{"type":"followed","room":"lobby","state":%q,"at":%q,`, test.state, place(test.from))
			if !strings.HasPrefix(followed.raw, want) || followed.First != "" {
				t.Errorf("followed %s, want %s", followed.raw, want)
			}
			got := c.read("lobby", 60-test.from)
			for i, entry := range got {
				if entry.ID != stored[test.from+i].ID {
					t.Fatalf("entry %d is %s, want %s", i, entry.ID, stored[test.from+i].ID)
				}
			}
			if c.settle(); len(c.entries["lobby"]) != 60-test.from {
				t.Errorf("%d entries came, want %d", len(c.entries["lobby"]), 60-test.from)
			}
			// The same in the address says the same.
			d, _ := there.dialAt("/ws?room=lobby" + strings.NewReplacer(",", "&", ":", "=", `"`, "").Replace(test.more))
			d.hello = d.await("hello")
			if said := d.await("followed"); said.raw != followed.raw {
				t.Errorf("by the address: followed %s, want %s", said.raw, followed.raw)
			}
			if got := d.read("lobby", 60-test.from); !reflect.DeepEqual(got, c.entries["lobby"]) {
				t.Errorf("by the address %d entries, not the same as %d", len(got), len(c.entries["lobby"]))
			}
		})
	}
}

func TestFollowInTheAddressIsAFollowLikeAnother(t *testing.T) {
	s := startAlone(t)
	ada, bob := s.guest("Ada"), s.guest("Bob")
	watching, _ := s.dialAt("/ws?room=lobby&last=0&watch=true&html=true", bob.bearer())
	watching.await("followed")
	here, _ := s.dialAt("/ws?room=lobby", ada.bearer())
	here.await("followed")
	want := fmt.Sprintf(`{"type":"present","room":"lobby","count":1,"users":[{"id":"%s","name":"Ada"}]}`, ada.User.ID)
	if present := here.await("present"); present.raw != want {
		t.Errorf("present are %s, want %s", present.raw, want)
	}
	here.say("lobby", "*hello*")
	if got := watching.read("lobby", 1)[0]; got.HTML == nil || *got.HTML != "<p><em>hello</em></p>" {
		t.Errorf("not rendered: %+v", got)
	}
	here.follow("kitchen", "")
	here.send(`{"type":"unfollow","room":"lobby"}`)
	here.settle()
	s.say(bob, "lobby", "unheard")
	s.say(bob, "kitchen", "heard")
	if here.read("kitchen", 1); len(here.entries["lobby"]) != 1 {
		t.Errorf("the lobby was not left")
	}
}

func TestLongBatchesAreDeflatedForWhoAsks(t *testing.T) {
	s := startAlone(t)
	ada := s.guest("Ada")
	first := s.say(ada, "lobby", "the first")
	for range 40 {
		s.say(ada, "lobby", "*hello*, once more")
	}
	for _, html := range []string{"", `,"html":true`} {
		from := html + `,"after":"` + first.Cursor + `"`
		plain, packed := s.connect(testGuest{}), s.connect(testGuest{})
		plain.follow("lobby", from)
		packed.follow("lobby", from+`,"deflate":true`)
		plain.read("lobby", 40)
		packed.read("lobby", 40)
		if plain.batches[0].raw != packed.batches[0].raw {
			t.Errorf("inflated it is not the same: %s, and %s", packed.batches[0].raw, plain.batches[0].raw)
		}
		if long, short := plain.batches[0].size, packed.batches[0].size; long < 3*short {
			t.Errorf("%d bytes became %d", long, short)
		}
	}
	live := s.connect(testGuest{})
	live.follow("lobby", `,"last":0,"deflate":true`)
	s.say(ada, "lobby", "short")
	live.read("lobby", 1)
	if batch := live.batches[0]; batch.size != len(batch.raw) {
		t.Errorf("a short batch came as %d bytes, binary", batch.size)
	}
}

func TestFollowOfARoomWithATrimmedBeginningSaysWhatIsKept(t *testing.T) {
	s := startServer(t, redistest.Start(t).Redis(), func(config *settings) { config.MaxCount = 100 })
	ada := s.guest("Ada")
	first := s.say(ada, "lobby", "the first")
	for i := range 400 {
		s.say(ada, "lobby", fmt.Sprint(i))
	}
	for _, after := range []string{"0-0", first.ID, first.Cursor} {
		people := s.stream("/r/lobby/events?after="+after, "Accept: text/plain")
		if line := people.line(); !strings.HasPrefix(line, "-- Messages up to 20") {
			t.Errorf("after %s: as text %q", after, line)
		}
		if line := people.line(); !strings.Contains(line, " Ada: ") {
			t.Errorf("after %s: as text, and then %q", after, line)
		}
		c := s.connect(testGuest{})
		followed := c.follow("lobby", `,"after":"`+after+`"`)
		want := fmt.Sprintf(`{"type":"followed","room":"lobby","state":"truncated","at":%q,"first":%q,`, followed.First, followed.First)
		if !strings.HasPrefix(followed.raw, want) {
			t.Errorf("after %s: %s, want %s", after, followed.raw, want)
		}
		// The room keeps at least what it should, and the reader gets all of it.
		if got := c.read("lobby", 100); got[0].N < 2 || got[0].Text == "the first" {
			t.Errorf("after %s: begins with %+v", after, got[0])
		}
	}
}

func TestRoomThatIsNotThereYetIsFollowedFromItsFirstEntry(t *testing.T) {
	here, there := startTwo(t, imitation(t))
	for _, more := range []string{``, `,"after":"0-0"`, `,"after":"0-0@0"`} {
		room := "new" + fmt.Sprint(len(more))
		c := there.connect(testGuest{})
		if followed := c.follow(room, more); followed.At != "0-0@0" {
			t.Errorf("followed %s, want at 0-0@0", followed.raw)
		}
		first := here.connect(here.guest("Ada")).say(room, "the first")
		if got := c.read(room, 1)[0]; got.ID != first || got.N != 1 {
			t.Errorf("%s: got %+v", more, got)
		}
	}
}

func TestRetriedSendIsStoredOnceAtAnyServer(t *testing.T) {
	here, there := startTwo(t, imitation(t))
	ada := here.guest("Ada")
	first, second := here.connect(ada), there.connect(ada)
	key := newKey()
	first.send(`{"type":"send","room":"lobby","key":"%s","text":"once"}`, key)
	stored := first.await("stored")
	if want := fmt.Sprintf(`{"type":"stored","room":"lobby","key":%q,"id":%q}`, key, stored.ID); stored.raw != want {
		t.Errorf("stored %s, want %s", stored.raw, want)
	}
	second.send(`{"type":"send","room":"lobby","key":"%s","text":"once"}`, key)
	if again := second.await("stored"); again.raw != stored.raw {
		t.Errorf("again: %s, want %s", again.raw, stored.raw)
	}
	given := there.postJSON("/r/lobby/messages", `{"text":"once"}`, ada.bearer(), "Idempotency-Key: "+key)
	if given.status != 200 || !strings.Contains(given.body, stored.ID) {
		t.Errorf("by HTTP: %d %s", given.status, given.body)
	}
	if got := texts(there.history("lobby", "").Entries); !slices.Equal(got, []string{"once"}) {
		t.Errorf("the room holds %q", got)
	}
}

func TestEverySendIsAnsweredThoughNoEntryComesWithTheAnswer(t *testing.T) {
	s := startAlone(t)
	ada := s.connect(s.guest("Ada"))
	ada.follow("lobby", "")
	key := newKey()
	for range 60 { // one entry, and many answers at once
		ada.send(`{"type":"send","room":"lobby","key":"%s","text":"once"}`, key)
	}
	ada.send(`{"type":"unfollow","room":"lobby"}`)
	ada.send(`{"type":"send","room":"lobby","key":"%s","text":"once"}`, key)
	first := ada.await("stored")
	for range 60 {
		if again := ada.await("stored"); again.raw != first.raw {
			t.Errorf("again: %s, want %s", again.raw, first.raw)
		}
	}
}

func TestUnfollowedRoomSaysNothingMore(t *testing.T) {
	here, there := startTwo(t, imitation(t))
	ada := here.guest("Ada")
	quiet, other := there.connect(testGuest{}), there.connect(testGuest{})
	quiet.follow("lobby", "")
	other.follow("lobby", "")
	here.say(ada, "lobby", "heard")
	quiet.read("lobby", 1)
	quiet.send(`{"type":"unfollow","room":"lobby"}`)
	quiet.send(`{"type":"unfollow","room":"lobby"}`) // which is no error
	quiet.send(`{"type":"unfollow","room":"never-followed"}`)
	quiet.settle()
	here.say(ada, "lobby", "not heard")
	other.read("lobby", 2)
	quiet.settle()
	if got := texts(quiet.entries["lobby"]); !slices.Equal(got, []string{"heard"}) {
		t.Errorf("heard %q", got)
	}
	quiet.follow("lobby", `,"last":1`)
	if got := quiet.read("lobby", 2)[1].Text; got != "not heard" {
		t.Errorf("after following again: %q", got)
	}
}

func TestFollowOfAFollowedRoomStartsAnew(t *testing.T) {
	here, there := startTwo(t, imitation(t))
	ada := here.guest("Ada")
	first := here.say(ada, "lobby", "one")
	here.say(ada, "lobby", "two")
	c := there.connect(testGuest{})
	c.follow("lobby", `,"last":1`)
	c.read("lobby", 1)
	c.follow("lobby", `,"after":"`+first.Cursor+`"`)
	c.read("lobby", 2)
	c.follow("lobby", `,"after":"0-0","html":true`)
	c.read("lobby", 4)
	here.say(ada, "lobby", "three")
	got := c.read("lobby", 5)
	if want := []string{"two", "two", "one", "two", "three"}; !slices.Equal(texts(got), want) {
		t.Errorf("got %q, want %q", texts(got), want)
	}
	if got[4].HTML == nil || *got[4].HTML != "<p>three</p>" {
		t.Errorf("html did not count from the second follow: %+v", got[4])
	}
	if c.settle(); len(c.entries["lobby"]) != 5 {
		t.Errorf("it came %d times", len(c.entries["lobby"])-4)
	}
}

func TestOneSocketFollowsSeveralRooms(t *testing.T) {
	here, there := startTwo(t, imitation(t))
	reader, writer := there.connect(testGuest{}), here.connect(here.guest("Ada"))
	rooms := []string{"lobby", "dev", "0", "a-_b", strings.Repeat("z", 64)}
	for _, room := range rooms {
		reader.follow(room, "")
	}
	var wrote = map[string][]string{}
	for i := range 20 {
		room := rooms[i%len(rooms)]
		wrote[room] = append(wrote[room], writer.say(room, fmt.Sprint(i)))
	}
	for _, room := range rooms {
		if got := ids(reader.read(room, 4)); !slices.Equal(got, wrote[room]) {
			t.Errorf("%s: got %v, want %v", room, got, wrote[room])
		}
	}
}

func TestMessagesOfOneSocketKeepTheirOrder(t *testing.T) {
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		here, there := startTwo(t, backend.Redis)
		reader, writer := there.connect(testGuest{}), here.connect(here.guest("Ada"))
		reader.follow("lobby", "")
		for i := range 200 { // without waiting for one to be stored
			writer.send(`{"type":"send","room":"lobby","key":"%s","text":"%d"}`, newKey(), i)
		}
		for i, entry := range reader.read("lobby", 200) {
			if entry.Text != fmt.Sprint(i) || entry.N != int64(i+1) {
				t.Fatalf("entry %d is %+v", i, entry)
			}
		}
	})
}

func TestLongBatchesAndBigTextsArriveWhole(t *testing.T) {
	s := startServer(t, redistest.Start(t).Redis())
	writer := s.connect(s.guest("Ada"))
	text := strings.Repeat("😀", 4000) // 16,000 bytes
	for i := range 40 {
		writer.say("lobby", fmt.Sprint(text[:len(text)-8], i+10))
	}
	reader := s.connect(testGuest{})
	reader.follow("lobby", `,"after":"0-0"`)
	for i, entry := range reader.read("lobby", 40) {
		if want := fmt.Sprint(text[:len(text)-8], i+10); entry.Text != want {
			t.Fatalf("entry %d has %d bytes, want %d", i, len(entry.Text), len(want))
		}
	}
}

func TestUserWithoutANameReadsAndIsTold(t *testing.T) {
	s := startAlone(t)
	c := s.connect(testGuest{})
	key := newKey()
	for _, frame := range []string{
		`{"type":"send","room":"lobby","key":"` + key + `","text":"hi"}`,
		`{"type":"react","room":"lobby","key":"` + key + `","of":"1-1","emoji":"👍","on":true}`,
	} {
		c.sendText(frame)
		told := c.await("error")
		if told.Code != "not_allowed" || told.Room != "lobby" || told.Key != key {
			t.Errorf("%s: %s", frame, told.raw)
		}
	}
	if page := s.history("lobby", ""); len(page.Entries) > 0 {
		t.Errorf("stored %+v", page.Entries)
	}
}

func TestAmendmentsAreForThoseWhoMay(t *testing.T) {
	here, there := startTwo(t, imitation(t))
	ada, bob := here.connect(here.guest("Ada")), there.connect(there.guest("Bob"))
	of, key := ada.say("lobby", "mine"), newKey()
	gone := ada.say("lobby", "gone soon")
	reaction := bob.do(`{"type":"react","room":"lobby","key":"%s","of":"%s","emoji":"👍","on":true}`, newKey(), of)
	ada.do(`{"type":"delete","room":"lobby","key":"%s","of":"%s"}`, newKey(), gone)
	tests := []struct{ name, frame, code, field string }{
		{"somebody else's message is edited", `"edit","of":"` + of + `","text":"yours"`, "not_yours", "of"},
		{"somebody else's message is deleted", `"delete","of":"` + of + `"`, "not_yours", "of"},
		{"a message that never was is edited", `"edit","of":"1-1","text":"x"`, "not_found", "of"},
		{"a message that never was is deleted", `"delete","of":"1-1"`, "not_found", "of"},
		{"a message that never was gets a reaction", `"react","of":"1-1","emoji":"👍","on":true`, "not_found", "of"},
		{"a deleted message gets a reaction", `"react","of":"` + gone + `","emoji":"👍","on":true`, "not_found", "of"},
		{"a reaction is edited", `"edit","of":"` + reaction + `","text":"x"`, "not_found", "of"},
		{"a reply to what never was", `"send","text":"x","reply_to":"1-1"`, "not_found", "reply_to"},
	}
	for _, test := range tests {
		bob.sendText(`{"room":"lobby","key":"` + key + `","type":` + test.frame + `}`)
		told := bob.await("error")
		if told.Code != test.code || told.Field != test.field || told.Room != "lobby" || told.Key != key || told.Message == "" {
			t.Errorf("%s: %s", test.name, told.raw)
		}
	}
	// A key that Ada used is not Bob's to use.
	ada.send(`{"type":"send","room":"lobby","key":"%s","text":"ada's key"}`, key)
	ada.await("stored")
	bob.send(`{"type":"send","room":"lobby","key":"%s","text":"bob's try"}`, key)
	if told := bob.await("error"); told.Code != "bad_field" || told.Field != "key" || told.Key != key {
		t.Errorf("somebody else's key: %s", told.raw)
	}
	// A reaction taken off is gone, and answering what was deleted is allowed.
	bob.do(`{"type":"react","room":"lobby","key":"%s","of":"%s","emoji":"👍","on":false}`, newKey(), of)
	bob.do(`{"type":"send","room":"lobby","key":"%s","text":"why?","reply_to":"%s"}`, newKey(), gone)
	page := here.history("lobby", "")
	if want := []string{"mine", "", "ada's key", "why?"}; !slices.Equal(texts(page.Entries), want) || page.Entries[0].Reactions != nil {
		t.Errorf("the room is %+v", page.Entries)
	}
}

func TestMessageHasAtMostFiftyReactions(t *testing.T) {
	s := startAlone(t)
	c := s.connect(s.guest("Ada"))
	of := c.say("lobby", "popular")
	const react = `{"type":"react","room":"lobby","key":"%s","of":"%s","emoji":"%c","on":true}`
	for i := range 50 {
		c.do(react, newKey(), of, '😀'+rune(i))
	}
	c.send(react, newKey(), of, '👍')
	if told := c.await("error"); told.Code != "bad_field" || told.Field != "emoji" {
		t.Errorf("one more: %s", told.raw)
	}
	c.do(react, newKey(), of, '😀')
}

func TestStatusIsToldToWhoeverIsConnected(t *testing.T) {
	s := startAlone(t)
	c, events := s.connect(testGuest{}), s.stream("/r/lobby/events")
	people := s.stream("/r/lobby/events", "Accept: text/plain")
	events.event()
	s.engine.SetStatus(true)
	if status := c.await("status"); status.raw != `{"type":"status","redis":"away"}` {
		t.Errorf("away: %s", status.raw)
	}
	if event := events.event(); event != (sse{"", "status", `{"type":"status","redis":"away"}`}) {
		t.Errorf("away: %+v", event)
	}
	s.engine.SetStatus(false)
	if status := c.await("status"); status.raw != `{"type":"status","redis":"back"}` {
		t.Errorf("back: %s", status.raw)
	}
	for _, want := range []string{"-- Chat storage is unavailable. What you miss will follow. --", "-- Chat storage is available again. --"} {
		if line := people.line(); line != want {
			t.Errorf("text: %q, want %q", line, want)
		}
	}
}

func TestStatusIsToldToWhoeverComesMeanwhile(t *testing.T) {
	upstream := imitation(t).Addrs[0]
	wire := redistest.StartProxy(t, upstream)
	s := startServer(t, &redis.UniversalOptions{Addrs: []string{wire.Addr}})
	wire.Reroute("")
	soon(t, "Redis is away", s.store.Away)
	const away = `{"type":"status","redis":"away"}`
	c := s.connect(testGuest{})
	d, _ := s.dialAt("/ws?room=lobby")
	if first := d.await("hello"); len(d.waiting) > 0 {
		t.Errorf("before %s came %+v", first.raw, d.waiting)
	}
	events := s.stream("/r/lobby/events")
	if event := events.event(); event != (sse{"", "status", away}) {
		t.Errorf("SSE begins with %+v", event)
	}
	for name, c := range map[string]*testSocket{"a socket": c, "a follow in the address": d} {
		if status := c.await("status"); status.raw != away {
			t.Errorf("%s: %s", name, status.raw)
		}
	}
	wire.Reroute(upstream)
	d.await("followed")
	for events.event().event != "followed" {
	}
}

func TestClosingHandshakeIsAnswered(t *testing.T) {
	s := startAlone(t)
	for _, code := range []int{1000, 1001, 1012, 4999} {
		c := s.connect(testGuest{})
		c.conn.WriteControl(fasthttpws.CloseMessage, fasthttpws.FormatCloseMessage(code, "bye"), time.Now().Add(patience))
		if got := c.closed(); got != code {
			t.Errorf("closed with %d, want %d", got, code)
		}
	}
	c := s.connect(testGuest{})
	c.conn.WriteControl(fasthttpws.CloseMessage, nil, time.Now().Add(patience))
	if got := c.closed(); got != 1000 {
		t.Errorf("closed with %d, want 1000", got)
	}
}

func TestServerThatGoesAwaySendsEveryoneElsewhere(t *testing.T) {
	at := imitation(t)
	leaving, staying := startTwo(t, at)
	ada := leaving.guest("Ada")
	c, events := leaving.connect(ada), leaving.stream("/r/lobby/events")
	c.follow("lobby", "")
	events.event()
	c.say("lobby", "before")
	held := c.read("lobby", 1)[0]
	last := events.entry()
	var ended sync.WaitGroup
	ended.Go(leaving.end)
	if code := c.closed(); code != 1012 {
		t.Errorf("closed with %d, want 1012", code)
	}
	if line, err := events.lines.ReadString('\n'); err == nil {
		t.Errorf("the stream goes on: %q", line)
	}
	ended.Wait()
	staying.say(ada, "lobby", "after")
	back := staying.connect(ada)
	if followed := back.follow("lobby", `,"after":"`+last.Cursor+`"`); followed.State != "resumed" {
		t.Errorf("followed %s", followed.raw)
	}
	if got := back.read("lobby", 1)[0]; got.Text != "after" || held.ID != last.ID {
		t.Errorf("got %+v", got)
	}
}

func TestServerThatIsStoppedWhileItStartsEnds(t *testing.T) {
	s := startAlone(t)
	for range 20 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		ended := make(chan error, 1)
		go func() { ended <- New(s.options).Serve(ctx, listener) }()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("serve: %v", err)
			}
		case <-time.After(patience):
			t.Fatal("it does not end")
		}
	}
}

func TestPanicInOneSocketIsNobodyElsesConcern(t *testing.T) {
	s := startAlone(t)
	well := s.connect(testGuest{})
	ws := s.withoutStore()
	c, _ := ws.dial()
	c.send(`{"type":"follow","room":"lobby"}`) // panics
	if code := c.closed(); code != 1011 {
		t.Errorf("closed with %d, want 1011", code)
	}
	if again := ws.get("/healthz"); again.status != 200 {
		t.Errorf("healthz: %d", again.status)
	}
	well.settle()
	if !strings.Contains(s.logged.String(), "msg=panic") {
		t.Error("the panic is not in the log")
	}
}

func TestPanicWhileASocketIsTakenOverEndsItAlone(t *testing.T) {
	s := startAlone(t)
	s.limits.liveReads = nil
	conn, err := net.Dial("tcp", s.host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", s.host)
	if answer, err := io.ReadAll(conn); len(answer) > 0 || err != nil {
		t.Errorf("answered %q, %v", answer, err)
	}
	if again := s.get("/healthz"); again.status != 200 {
		t.Errorf("healthz: %d", again.status)
	}
	if !strings.Contains(s.logged.String(), "msg=panic") {
		t.Error("the panic is not in the log")
	}
}

func TestSocketThatAnsweredAPingWaitsInItsSmallStack(t *testing.T) {
	s := startAlone(t)
	for range 20 {
		c, _ := s.dial()
		c.settle()
	}
	stacks := make([]byte, 4<<20)
	soon(t, "the session waits in its small stack", func() bool {
		text := string(stacks[:runtime.Stack(stacks, true)])
		return strings.Contains(text, "socket.(*Server).Serve(") && !strings.Contains(text, "(*client).readNext(")
	})
}

func TestServerPingsQuietConnections(t *testing.T) {
	s := startAlone(t, func(set *settings) { set.Heartbeat = time.Second })
	c := s.connect(testGuest{})
	events := s.stream("/r/lobby/events")
	lines := s.stream("/r/lobby/events", "Accept: application/x-ndjson")
	people := s.stream("/r/lobby/events", "Accept: text/plain")
	events.event()
	lines.object()
	if event := c.next("ping"); event.kind != "ping" {
		t.Errorf("received %+v, want a ping", event)
	}
	if line := events.line(); line != ":" {
		t.Errorf("SSE: %q, want a comment", line)
	}
	if line := lines.line(); line != "" {
		t.Errorf("NDJSON: %q, want an empty line", line)
	}
	if line := people.line(); line != "" {
		t.Errorf("text: %q, want an empty line", line)
	}
	if c.settle(); s.live.Count() != 4 {
		t.Errorf("%d live reads are left, want 4", s.live.Count())
	}
}
