package web

import (
	"burble/app/client"
	"context"
	"fmt"
	"io"
	"net"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"burble/streams/redistest"

	fasthttpws "github.com/fasthttp/websocket"
	gobwas "github.com/gobwas/ws"
	"github.com/redis/go-redis/v9"
)

func TestHelloSaysWhoTheServerTakesYouFor(t *testing.T) {
	s := startOne(t)
	ada := s.signIn("Ada \"the first\" Lovelace")
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
		if hello := awaitText[*client.Hello](c); hello != want {
			t.Errorf("%s: hello is %s, want %s", test.name, hello, want)
		}
	}
}

func TestSocketNegotiatesTheSubprotocolAndNothingElse(t *testing.T) {
	s := startOne(t)
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
	here, there := startTwo(t, newMiniredis(t))
	ada := here.signIn("Ada")
	var stored []posted
	for i := range 60 {
		stored = append(stored, here.post(ada, "lobby", fmt.Sprint(i)))
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
			c := there.connect(anonymous)
			followed := c.follow("lobby", test.more)
			if followed.Room != "lobby" || followed.State != test.state || followed.At != place(test.from) || followed.First != "" {
				t.Errorf("followed: %+v, want state %s at %s", followed, test.state, place(test.from))
			}
			got := c.read("lobby", 60-test.from)
			for i, entry := range got {
				if entry.ID != stored[test.from+i].ID {
					t.Fatalf("entry %d is %s, want %s", i, entry.ID, stored[test.from+i].ID)
				}
			}
			if c.sync(); len(c.entries["lobby"]) != 60-test.from {
				t.Errorf("%d entries came, want %d", len(c.entries["lobby"]), 60-test.from)
			}
			// The same in the address says the same.
			d, _ := there.dialPath("/ws?room=lobby" + strings.NewReplacer(",", "&", ":", "=", `"`, "").Replace(test.more))
			if same := await[*client.Followed](d); *same != *followed {
				t.Errorf("by the URL: followed: %+v, want %+v", same, followed)
			}
			if got := d.read("lobby", 60-test.from); !reflect.DeepEqual(got, c.entries["lobby"]) {
				t.Errorf("by the address %d entries, not the same as %d", len(got), len(c.entries["lobby"]))
			}
		})
	}
}

func TestFollowInTheAddressIsAFollowLikeAnother(t *testing.T) {
	s := startOne(t)
	ada, bob := s.signIn("Ada"), s.signIn("Bob")
	watching, _ := s.dialPath("/ws?room=lobby&last=0&watch=true&html=true", bob.bearer())
	await[*client.Followed](watching)
	here, _ := s.dialPath("/ws?room=lobby", ada.bearer())
	await[*client.Followed](here)
	want := fmt.Sprintf(`{"type":"present","room":"lobby","count":1,"users":[{"id":"%s","name":"Ada"}]}`, ada.User.ID)
	if present := awaitText[*client.Present](here); present != want {
		t.Errorf("present: %s, want %s", present, want)
	}
	here.post("lobby", "*hello*")
	if got := watching.read("lobby", 1)[0]; got.HTML != "<p><em>hello</em></p>" {
		t.Errorf("not rendered: %+v", got)
	}
	here.follow("kitchen", "")
	here.sendf(`{"type":"unfollow","room":"lobby"}`)
	here.sync()
	s.post(bob, "lobby", "unheard")
	s.post(bob, "kitchen", "heard")
	if here.read("kitchen", 1); len(here.entries["lobby"]) != 1 {
		t.Errorf("the lobby was not left")
	}
}

func TestLongBatchesAreDeflatedForWhoAsks(t *testing.T) {
	s := startOne(t)
	ada := s.signIn("Ada")
	first := s.post(ada, "lobby", "the first")
	for range 40 {
		s.post(ada, "lobby", "*hello*, once more")
	}
	for _, html := range []string{"", `,"html":true`} {
		from := html + `,"after":"` + first.Cursor + `"`
		plain, packed := s.connect(anonymous), s.connect(anonymous)
		plain.follow("lobby", from)
		packed.follow("lobby", from+`,"deflate":true`)
		plain.read("lobby", 40)
		packed.read("lobby", 40)
		if plain.batches[0].text != packed.batches[0].text {
			t.Errorf("inflated it is not the same: %s, and %s", packed.batches[0].text, plain.batches[0].text)
		}
		if long, short := plain.batches[0].size, packed.batches[0].size; long < 3*short {
			t.Errorf("%d bytes became %d", long, short)
		}
	}
	live := s.connect(anonymous)
	live.follow("lobby", `,"last":0,"deflate":true`)
	s.post(ada, "lobby", "short")
	live.read("lobby", 1)
	if batch := live.batches[0]; batch.size != len(batch.text) {
		t.Errorf("a short batch came as %d bytes, binary", batch.size)
	}
}

func TestFollowOfARoomWithATrimmedBeginningSaysWhatIsKept(t *testing.T) {
	s := startServer(t, redistest.Start(t).Redis(), func(config *settings) { config.MaxCount = 100 })
	ada := s.signIn("Ada")
	first := s.post(ada, "lobby", "the first")
	for i := range 400 {
		s.post(ada, "lobby", fmt.Sprint(i))
	}
	for _, after := range []string{"0-0", first.ID, first.Cursor} {
		people := s.openStream("/r/lobby/events?after="+after, "Accept: text/plain")
		if line := people.line(); !strings.HasPrefix(line, "-- Messages up to 20") {
			t.Errorf("after %s: as text %q", after, line)
		}
		if line := people.line(); !strings.Contains(line, " Ada: ") {
			t.Errorf("after %s: as text, and then %q", after, line)
		}
		c := s.connect(anonymous)
		followed := c.follow("lobby", `,"after":"`+after+`"`)
		if followed.Room != "lobby" || followed.State != client.Truncated || followed.First == "" || followed.At != followed.First {
			t.Errorf("after %s: %+v", after, followed)
		}
		// The room keeps at least what it should, and the reader gets all of it.
		if got := c.read("lobby", 100); got[0].N < 2 || got[0].Text == "the first" {
			t.Errorf("after %s: begins with %+v", after, got[0])
		}
	}
}

func TestRoomThatIsNotThereYetIsFollowedFromItsFirstEntry(t *testing.T) {
	here, there := startTwo(t, newMiniredis(t))
	for _, more := range []string{``, `,"after":"0-0"`, `,"after":"0-0@0"`} {
		room := "new" + fmt.Sprint(len(more))
		c := there.connect(anonymous)
		if followed := c.follow(room, more); followed.At != "0-0@0" {
			t.Errorf("followed: %+v, want at 0-0@0", followed)
		}
		first := here.connect(here.signIn("Ada")).post(room, "the first")
		if got := c.read(room, 1)[0]; got.ID != first || got.N != 1 {
			t.Errorf("%s: got %+v", more, got)
		}
	}
}

func TestRetriedSendIsStoredOnceAtAnyServer(t *testing.T) {
	here, there := startTwo(t, newMiniredis(t))
	ada := here.signIn("Ada")
	first, second := here.connect(ada), there.connect(ada)
	key := client.NewKey()
	first.sendf(`{"type":"send","room":"lobby","key":"%s","text":"once"}`, key)
	stored := await[*client.Stored](first)
	if want := (client.Stored{Room: "lobby", Key: key, ID: stored.ID}); *stored != want {
		t.Errorf("stored: %+v, want %+v", stored, want)
	}
	second.sendf(`{"type":"send","room":"lobby","key":"%s","text":"once"}`, key)
	if again := await[*client.Stored](second); *again != *stored {
		t.Errorf("again: %+v, want %+v", again, stored)
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
	s := startOne(t)
	ada := s.connect(s.signIn("Ada"))
	ada.follow("lobby", "")
	key := client.NewKey()
	for range 60 { // one entry, and many answers at once
		ada.sendf(`{"type":"send","room":"lobby","key":"%s","text":"once"}`, key)
	}
	ada.sendf(`{"type":"unfollow","room":"lobby"}`)
	ada.sendf(`{"type":"send","room":"lobby","key":"%s","text":"once"}`, key)
	first := await[*client.Stored](ada)
	for range 60 {
		if again := await[*client.Stored](ada); *again != *first {
			t.Errorf("again: %+v, want %+v", again, first)
		}
	}
}

func TestUnfollowedRoomSaysNothingMore(t *testing.T) {
	here, there := startTwo(t, newMiniredis(t))
	ada := here.signIn("Ada")
	quiet, other := there.connect(anonymous), there.connect(anonymous)
	quiet.follow("lobby", "")
	other.follow("lobby", "")
	here.post(ada, "lobby", "heard")
	quiet.read("lobby", 1)
	quiet.sendf(`{"type":"unfollow","room":"lobby"}`)
	quiet.sendf(`{"type":"unfollow","room":"lobby"}`) // which is no error
	quiet.sendf(`{"type":"unfollow","room":"never-followed"}`)
	quiet.sync()
	here.post(ada, "lobby", "not heard")
	other.read("lobby", 2)
	quiet.sync()
	if got := texts(quiet.entries["lobby"]); !slices.Equal(got, []string{"heard"}) {
		t.Errorf("heard %q", got)
	}
	quiet.follow("lobby", `,"last":1`)
	if got := quiet.read("lobby", 2)[1].Text; got != "not heard" {
		t.Errorf("after following again: %q", got)
	}
}

func TestFollowOfAFollowedRoomStartsAnew(t *testing.T) {
	here, there := startTwo(t, newMiniredis(t))
	ada := here.signIn("Ada")
	first := here.post(ada, "lobby", "one")
	here.post(ada, "lobby", "two")
	c := there.connect(anonymous)
	c.follow("lobby", `,"last":1`)
	c.read("lobby", 1)
	c.follow("lobby", `,"after":"`+first.Cursor+`"`)
	c.read("lobby", 2)
	c.follow("lobby", `,"after":"0-0","html":true`)
	c.read("lobby", 4)
	here.post(ada, "lobby", "three")
	got := c.read("lobby", 5)
	if want := []string{"two", "two", "one", "two", "three"}; !slices.Equal(texts(got), want) {
		t.Errorf("got %q, want %q", texts(got), want)
	}
	if got[4].HTML != "<p>three</p>" {
		t.Errorf("html did not count from the second follow: %+v", got[4])
	}
	if c.sync(); len(c.entries["lobby"]) != 5 {
		t.Errorf("it came %d times", len(c.entries["lobby"])-4)
	}
}

func TestOneSocketFollowsSeveralRooms(t *testing.T) {
	here, there := startTwo(t, newMiniredis(t))
	reader, writer := there.connect(anonymous), here.connect(here.signIn("Ada"))
	rooms := []string{"lobby", "dev", "0", "a-_b", strings.Repeat("z", 64)}
	for _, room := range rooms {
		reader.follow(room, "")
	}
	var wrote = map[string][]string{}
	for i := range 20 {
		room := rooms[i%len(rooms)]
		wrote[room] = append(wrote[room], writer.post(room, fmt.Sprint(i)))
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
		reader, writer := there.connect(anonymous), here.connect(here.signIn("Ada"))
		reader.follow("lobby", "")
		for i := range 200 { // without waiting for one to be stored
			writer.sendf(`{"type":"send","room":"lobby","key":"%s","text":"%d"}`, client.NewKey(), i)
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
	writer := s.connect(s.signIn("Ada"))
	text := strings.Repeat("😀", 4000) // 16,000 bytes
	for i := range 40 {
		writer.post("lobby", fmt.Sprint(text[:len(text)-8], i+10))
	}
	reader := s.connect(anonymous)
	reader.follow("lobby", `,"after":"0-0"`)
	for i, entry := range reader.read("lobby", 40) {
		if want := fmt.Sprint(text[:len(text)-8], i+10); entry.Text != want {
			t.Fatalf("entry %d has %d bytes, want %d", i, len(entry.Text), len(want))
		}
	}
}

func TestUserWithoutANameReadsAndIsTold(t *testing.T) {
	s := startOne(t)
	c := s.connect(anonymous)
	key := client.NewKey()
	for _, frame := range []string{
		`{"type":"send","room":"lobby","key":"` + key + `","text":"hi"}`,
		`{"type":"react","room":"lobby","key":"` + key + `","of":"1-1","emoji":"👍","on":true}`,
	} {
		c.send(frame)
		told := await[*client.Error](c)
		if told.Code != "not_allowed" || told.Room != "lobby" || told.Key != key {
			t.Errorf("%s: %v", frame, told)
		}
	}
	if page := s.history("lobby", ""); len(page.Entries) > 0 {
		t.Errorf("stored %+v", page.Entries)
	}
}

func TestAmendmentsAreForThoseWhoMay(t *testing.T) {
	here, there := startTwo(t, newMiniredis(t))
	ada, bob := here.connect(here.signIn("Ada")), there.connect(there.signIn("Bob"))
	of, key := ada.post("lobby", "mine"), client.NewKey()
	gone := ada.post("lobby", "gone soon")
	reaction := bob.appendf(`{"type":"react","room":"lobby","key":"%s","of":"%s","emoji":"👍","on":true}`, client.NewKey(), of)
	ada.appendf(`{"type":"delete","room":"lobby","key":"%s","of":"%s"}`, client.NewKey(), gone)
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
		bob.send(`{"room":"lobby","key":"` + key + `","type":` + test.frame + `}`)
		told := await[*client.Error](bob)
		if told.Code != test.code || told.Field != test.field || told.Room != "lobby" || told.Key != key || told.Message == "" {
			t.Errorf("%s: %v", test.name, told)
		}
	}
	// A key that Ada used is not Bob's to use.
	ada.sendf(`{"type":"send","room":"lobby","key":"%s","text":"ada's key"}`, key)
	await[*client.Stored](ada)
	bob.sendf(`{"type":"send","room":"lobby","key":"%s","text":"bob's try"}`, key)
	if told := await[*client.Error](bob); told.Code != "bad_field" || told.Field != "key" || told.Key != key {
		t.Errorf("somebody else's key: %v", told)
	}
	// A reaction taken off is gone, and answering what was deleted is allowed.
	bob.appendf(`{"type":"react","room":"lobby","key":"%s","of":"%s","emoji":"👍","on":false}`, client.NewKey(), of)
	bob.appendf(`{"type":"send","room":"lobby","key":"%s","text":"why?","reply_to":"%s"}`, client.NewKey(), gone)
	page := here.history("lobby", "")
	if want := []string{"mine", "", "ada's key", "why?"}; !slices.Equal(texts(page.Entries), want) || page.Entries[0].Reactions != nil {
		t.Errorf("the room is %+v", page.Entries)
	}
}

func TestMessageHasAtMostFiftyReactions(t *testing.T) {
	s := startOne(t)
	c := s.connect(s.signIn("Ada"))
	of := c.post("lobby", "popular")
	const react = `{"type":"react","room":"lobby","key":"%s","of":"%s","emoji":"%c","on":true}`
	for i := range 50 {
		c.appendf(react, client.NewKey(), of, '😀'+rune(i))
	}
	c.sendf(react, client.NewKey(), of, '👍')
	if told := await[*client.Error](c); told.Code != "bad_field" || told.Field != "emoji" {
		t.Errorf("one more: %v", told)
	}
	c.appendf(react, client.NewKey(), of, '😀')
}

func TestStatusIsToldToWhoeverIsConnected(t *testing.T) {
	s := startOne(t)
	c, events := s.connect(anonymous), s.openStream("/r/lobby/events")
	people := s.openStream("/r/lobby/events", "Accept: text/plain")
	events.event()
	s.engine.SetStatus(true)
	if status := awaitText[*client.Status](c); status != `{"type":"status","redis":"away"}` {
		t.Errorf("away: %s", status)
	}
	if event := events.event(); event != (client.Event{Type: "status", Data: `{"type":"status","redis":"away"}`}) {
		t.Errorf("away: %+v", event)
	}
	s.engine.SetStatus(false)
	if status := awaitText[*client.Status](c); status != `{"type":"status","redis":"back"}` {
		t.Errorf("back: %s", status)
	}
	for _, want := range []string{"-- Chat storage is unavailable. Missed messages will follow. --", "-- Chat storage is available again. --"} {
		if line := people.line(); line != want {
			t.Errorf("text: %q, want %q", line, want)
		}
	}
}

func TestStatusIsToldToWhoeverComesMeanwhile(t *testing.T) {
	upstream := newMiniredis(t).Addrs[0]
	wire := redistest.StartProxy(t, upstream)
	s := startServer(t, &redis.UniversalOptions{Addrs: []string{wire.Addr}})
	wire.Reroute("")
	eventually(t, "Redis is away", s.store.Away)
	const away = `{"type":"status","redis":"away"}`
	c := s.connect(anonymous)
	d, _ := s.dialPath("/ws?room=lobby")
	if await[*client.Hello](d); len(d.waiting) > 0 {
		t.Errorf("before hello came %+v", d.waiting)
	}
	events := s.openStream("/r/lobby/events")
	if event := events.event(); event != (client.Event{Type: "status", Data: away}) {
		t.Errorf("SSE begins with %+v", event)
	}
	for name, c := range map[string]*testSocket{"a socket": c, "a follow in the address": d} {
		if status := awaitText[*client.Status](c); status != away {
			t.Errorf("%s: %s", name, status)
		}
	}
	wire.Reroute(upstream)
	await[*client.Followed](d)
	for events.event().Type != "followed" {
	}
}

func TestClosingHandshakeIsAnswered(t *testing.T) {
	s := startOne(t)
	for _, code := range []int{1000, 1001, 1012, 4999} {
		c := s.connect(anonymous)
		c.WriteMessage(client.OpClose, gobwas.NewCloseFrameBody(gobwas.StatusCode(code), "bye"))
		if got := c.awaitClose(); got != code {
			t.Errorf("closed with %d, want %d", got, code)
		}
	}
	c := s.connect(anonymous)
	c.WriteMessage(client.OpClose, nil)
	if got := c.awaitClose(); got != 1000 {
		t.Errorf("closed with %d, want 1000", got)
	}
}

func TestServerThatGoesAwaySendsEveryoneElsewhere(t *testing.T) {
	at := newMiniredis(t)
	leaving, staying := startTwo(t, at)
	ada := leaving.signIn("Ada")
	c, events := leaving.connect(ada), leaving.openStream("/r/lobby/events")
	c.follow("lobby", "")
	events.event()
	c.post("lobby", "before")
	held := c.read("lobby", 1)[0]
	last := events.entry()
	var ended sync.WaitGroup
	ended.Go(leaving.shutDown)
	if code := c.awaitClose(); code != 1012 {
		t.Errorf("closed with %d, want 1012", code)
	}
	if line, err := events.Line(); err == nil {
		t.Errorf("the stream goes on: %q", line)
	}
	ended.Wait()
	staying.post(ada, "lobby", "after")
	back := staying.connect(ada)
	if followed := back.follow("lobby", `,"after":"`+last.Cursor+`"`); followed.State != "resumed" {
		t.Errorf("followed: %+v", followed)
	}
	if got := back.read("lobby", 1)[0]; got.Text != "after" || held.ID != last.ID {
		t.Errorf("got %+v", got)
	}
}

func TestServerThatIsStoppedWhileItStartsEnds(t *testing.T) {
	s := startOne(t)
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
	s := startOne(t)
	well := s.connect(anonymous)
	ws := s.startWithoutStore()
	c, _ := ws.dial()
	c.sendf(`{"type":"follow","room":"lobby"}`) // panics
	if code := c.awaitClose(); code != 1011 {
		t.Errorf("closed with %d, want 1011", code)
	}
	if again := ws.get("/healthz"); again.status != 200 {
		t.Errorf("healthz: %d", again.status)
	}
	well.sync()
	if !strings.Contains(s.logs.String(), "msg=panic") {
		t.Error("the panic is not in the log")
	}
}

func TestPanicWhileASocketIsTakenOverEndsItAlone(t *testing.T) {
	s := startOne(t)
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
	if !strings.Contains(s.logs.String(), "msg=panic") {
		t.Error("the panic is not in the log")
	}
}

func TestServerPingsQuietConnections(t *testing.T) {
	s := startOne(t, func(set *settings) { set.Heartbeat = time.Second })
	c := s.connect(anonymous)
	events := s.openStream("/r/lobby/events")
	lines := s.openStream("/r/lobby/events", "Accept: application/x-ndjson")
	people := s.openStream("/r/lobby/events", "Accept: text/plain")
	events.event()
	lines.jsonLine()
	if event := c.next("ping"); event.Op != client.OpPing {
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
	if c.sync(); s.live.Count() != 4 {
		t.Errorf("%d live reads are left, want 4", s.live.Count())
	}
}
