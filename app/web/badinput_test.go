package web

import (
	"burble/app/client"
	"burble/app/protocol"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// Bad input, one table for each surface. Whatever is refused is refused by name,
// stores nothing, and leaves the connection as it was unless the table says so.

const (
	aKey    = "9b2f6c1e-3d4a-4f6b-8a7e-1c2d3e4f5a6b"
	badUTF8 = "\xff\xfe"
)

// tooManyCharacters is one character more than a message may have.
var tooManyCharacters = strings.Repeat("é", protocol.MaxText+1)

// tooLongHeader does not fit in what the server reads of a request's head.
var tooLongHeader = "X-Long: " + strings.Repeat("x", 20000)

// untouched fails if the room does not hold what it held before.
func untouched(t *testing.T, s *testServer, before client.History) {
	t.Helper()
	if after := s.history("lobby", ""); after.AsOf != before.AsOf {
		t.Errorf("something was stored: the room is at %s, was at %s", after.AsOf, before.AsOf)
	}
}

func TestBadFramesOnASocket(t *testing.T) {
	here, there := startTwo(t, newMiniredis(t))
	ada, bob := here.signIn("Ada"), there.signIn("Bob")
	of := here.post(ada, "lobby", "mine").ID
	before := here.history("lobby", "")
	send := func(more string) string {
		return `{"type":"send","room":"lobby","key":"` + aKey + `",` + more + `}`
	}
	react := func(more string) string {
		return `{"type":"react","room":"lobby","key":"` + aKey + `","of":"` + of + `",` + more + `}`
	}
	follow := func(more string) string { return `{"type":"follow","room":"lobby",` + more + `}` }
	deep := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

	tests := []struct {
		name, frame string
		code        protocol.Code
		field       string
		closes      int // the close code; 0: the connection stays
	}{
		{"nothing", ``, protocol.BadFrame, "", 1008},
		{"not JSON", `hello`, protocol.BadFrame, "", 1008},
		{"half of JSON", `{"type":"send"`, protocol.BadFrame, "", 1008},
		{"two objects", `{"type":"unfollow","room":"lobby"}{}`, protocol.BadFrame, "", 1008},
		{"nested without end", deep(32000), protocol.BadFrame, "", 1008},
		{"a number that is none", `{"type":"follow","room":"lobby","last":0x10}`, protocol.BadFrame, "", 1008},
		{"an array", `[]`, protocol.BadFrame, "", 0},
		{"null", `null`, protocol.BadFrame, "", 0},
		{"a string", `"send"`, protocol.BadFrame, "", 0},
		{"nested deeply", deep(9000), protocol.BadFrame, "", 0},
		{"no type", `{}`, protocol.BadField, "type", 0},
		{"type of the wrong type", `{"type":1}`, protocol.BadField, "type", 0},
		{"type null", `{"type":null}`, protocol.BadField, "type", 0},
		{"unknown type", `{"type":"shout","room":"lobby"}`, protocol.BadFrame, "type", 0},
		{"a type of the server's", `{"type":"entries","room":"lobby"}`, protocol.BadFrame, "type", 0},
		{"type in capitals", `{"type":"SEND","room":"lobby"}`, protocol.BadFrame, "type", 0},
		{"unknown type, endless", `{"type":"` + strings.Repeat("x", 60000) + `"}`, protocol.BadFrame, "type", 0},
		{"unknown field", send(`"text":"hi","colour":"red"`), protocol.BadField, "colour", 0},
		{"field of another type", follow(`"text":"hi"`), protocol.BadField, "text", 0},
		{"field name in capitals", send(`"Text":"hi","text":"hi"`), protocol.BadField, "Text", 0},
		{"field name, empty", send(`"text":"hi","":1`), protocol.BadField, "", 0},
		{"no room", `{"type":"follow"}`, protocol.BadField, "room", 0},
		{"room null", `{"type":"follow","room":null}`, protocol.BadField, "room", 0},
		{"room of the wrong type", `{"type":"follow","room":["lobby"]}`, protocol.BadField, "room", 0},
		{"room empty", `{"type":"follow","room":""}`, protocol.BadRoom, "room", 0},
		{"room in capitals", `{"type":"follow","room":"Lobby"}`, protocol.BadRoom, "room", 0},
		{"room too long", `{"type":"follow","room":"` + strings.Repeat("a", 65) + `"}`, protocol.BadRoom, "room", 0},
		{"room with a brace, as in a key", `{"type":"follow","room":"a}b"}`, protocol.BadRoom, "room", 0},
		{"room with a line break", `{"type":"follow","room":"a\nb"}`, protocol.BadRoom, "room", 0},
		{"room beginning with -", `{"type":"unfollow","room":"-a"}`, protocol.BadRoom, "room", 0},
		{"after is no cursor", follow(`"after":"yesterday"`), protocol.BadField, "after", 0},
		{"after empty", follow(`"after":""`), protocol.BadField, "after", 0},
		{"after with a sign", follow(`"after":"+1-0"`), protocol.BadField, "after", 0},
		{"after with half an ID", follow(`"after":"1732281600000"`), protocol.BadField, "after", 0},
		{"after beyond 64 bits", follow(`"after":"18446744073709551616-0"`), protocol.BadField, "after", 0},
		{"after with an empty epoch", follow(`"after":"1-1@"`), protocol.BadField, "after", 0},
		{"after with an epoch of anything", follow(`"after":"1-1@a\nb"`), protocol.BadField, "after", 0},
		{"after of the wrong type", follow(`"after":5`), protocol.BadField, "after", 0},
		{"after $, as Redis has it", follow(`"after":"$"`), protocol.BadField, "after", 0},
		{"last below 0", follow(`"last":-1`), protocol.BadField, "last", 0},
		{"last above 500", follow(`"last":501`), protocol.BadField, "last", 0},
		{"last with a fraction", follow(`"last":1.5`), protocol.BadField, "last", 0},
		{"last huge", follow(`"last":99999999999999999999`), protocol.BadField, "last", 0},
		{"last immense", follow(`"last":1e999999`), protocol.BadField, "last", 0},
		{"last as a string", follow(`"last":"50"`), protocol.BadField, "last", 0},
		{"last null", follow(`"last":null`), protocol.BadField, "last", 0},
		{"both after and last", follow(`"after":"0-0","last":5`), protocol.BadField, "last", 0},
		{"html as a string", follow(`"html":"true"`), protocol.BadField, "html", 0},
		{"html null", follow(`"html":null`), protocol.BadField, "html", 0},
		{"no text", `{"type":"send","room":"lobby","key":"` + aKey + `"}`, protocol.BadField, "text", 0},
		{"text empty", send(`"text":""`), protocol.BadField, "text", 0},
		{"text of spaces", send(`"text":" \n\t "`), protocol.BadField, "text", 0},
		{"text null", send(`"text":null`), protocol.BadField, "text", 0},
		{"text nested", send(`"text":` + deep(5000)), protocol.BadField, "text", 0},
		{"text too long", send(`"text":"` + tooManyCharacters + `"`), protocol.TooLong, "text", 0},
		{"no key", `{"type":"send","room":"lobby","text":"hi"}`, protocol.BadField, "key", 0},
		{"key is no UUID", `{"type":"send","room":"lobby","key":"1","text":"hi"}`, protocol.BadField, "key", 0},
		{"key in braces", `{"type":"send","room":"lobby","key":"{` + aKey + `}","text":"hi"}`, protocol.BadField, "key", 0},
		{"key of the wrong type", `{"type":"send","room":"lobby","key":1,"text":"hi"}`, protocol.BadField, "key", 0},
		{"room of the wrong type, with a key", `{"type":"send","key":"` + aKey + `","room":5,"text":"hi"}`, protocol.BadField, "room", 0},
		{"room in capitals, with a key", `{"type":"send","room":"Lobby","key":"` + aKey + `","text":"hi"}`, protocol.BadRoom, "room", 0},
		{"room in capitals, after the key", `{"key":"` + aKey + `","type":"topic","text":"hi","room":"Lobby"}`, protocol.BadRoom, "room", 0},
		{"room and key that are none", `{"type":"send","room":"` + strings.Repeat("é", 300) + `","key":"` + strings.Repeat("é", 300) + `","text":"hi"}`, protocol.BadRoom, "room", 0},
		{"reply_to is no ID", send(`"text":"hi","reply_to":"first"`), protocol.BadField, "reply_to", 0},
		{"reply_to a cursor", send(`"text":"hi","reply_to":"1-1@abc"`), protocol.BadField, "reply_to", 0},
		{"reply_to nothing", send(`"text":"hi","reply_to":"0-0"`), protocol.BadField, "reply_to", 0},
		{"reply_to what never was", send(`"text":"hi","reply_to":"1-1"`), protocol.NotFound, "reply_to", 0},
		{"of missing", `{"type":"delete","room":"lobby","key":"` + aKey + `"}`, protocol.BadField, "of", 0},
		{"of is no ID", `{"type":"delete","room":"lobby","key":"` + aKey + `","of":"-"}`, protocol.BadField, "of", 0},
		{"of somebody else's", `{"type":"delete","room":"lobby","key":"` + aKey + `","of":"` + of + `"}`, protocol.NotYours, "of", 0},
		{"of in another room", `{"type":"react","room":"dev","key":"` + aKey + `","of":"` + of + `","emoji":"👍","on":true}`, protocol.NotFound, "of", 0},
		{"emoji empty", react(`"emoji":"","on":true`), protocol.BadField, "emoji", 0},
		{"emoji with a space", react(`"emoji":"a b","on":true`), protocol.BadField, "emoji", 0},
		{"emoji too long", react(`"emoji":"👍` + strings.Repeat("\u200d👍", 12) + `","on":true`), protocol.BadField, "emoji", 0},
		{"emoji twice", react(`"emoji":"👍👍","on":true`), protocol.BadField, "emoji", 0},
		{"emoji of the wrong type", react(`"emoji":1,"on":true`), protocol.BadField, "emoji", 0},
		{"on missing", react(`"emoji":"👍"`), protocol.BadField, "on", 0},
		{"on as a number", react(`"emoji":"👍","on":1`), protocol.BadField, "on", 0},
		{"on null", react(`"emoji":"👍","on":null`), protocol.BadField, "on", 0},
	}
	c := there.connect(bob)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := c
			if test.closes != 0 {
				c = there.connect(bob)
			}
			c.send(test.frame)
			frame := awaitReceived[*client.Error](c)
			told := frame.Frame.(*client.Error)
			if told.Code != string(test.code) || told.Field != test.field || told.Message == "" || len(frame.text) > 600 {
				t.Errorf("got %v, want code %s, field %q", told, test.code, test.field)
			}
			// Its room and key are named, good or not, so that the client knows which it was.
			var sent struct{ Room, Key any }
			json.Unmarshal([]byte(test.frame), &sent)
			room, _ := sent.Room.(string)
			key, _ := sent.Key.(string)
			if told.Room != protocol.Clip(room) || told.Key != protocol.Clip(key) {
				t.Errorf("got %+v, want room %q and key %q in it", told, room, key)
			}
			if test.closes == 0 {
				c.sync()
			} else if got := c.awaitClose(); got != test.closes {
				t.Errorf("closed with %d, want %d", got, test.closes)
			}
		})
	}
	untouched(t, here, before)
	if id := c.post("lobby", "still works"); id == "" || len(c.entries) > 0 {
		t.Errorf("after all that: stored %q, entries %v", id, c.entries)
	}
}

func TestBrokenWebSocketFrames(t *testing.T) {
	here, there := startTwo(t, newMiniredis(t))
	ada := here.signIn("Ada")
	here.post(ada, "lobby", "before")
	before := here.history("lobby", "")
	sound := []byte(`{"type":"send","room":"lobby","key":"` + aKey + `","text":"hi"}`)
	padded := func(size int) []byte { return append(sound, strings.Repeat(" ", size-len(sound))...) }
	const fin, rsv1, text, binary, closing, ping = 0x80, 0x40, 1, 2, 8, 9
	unmasked := append([]byte{fin | text, byte(len(sound))}, sound...)
	tests := []struct {
		name   string
		bytes  []byte
		closes int
	}{
		{"binary", client.RawFrame(fin|binary, sound), 1003},
		{"not UTF-8", client.RawFrame(fin|text, []byte(`{"type":"send","text":"`+badUTF8+`"}`)), 1007},
		{"half a surrogate pair, written as UTF-8", client.RawFrame(fin|text, []byte("\"\xed\xa0\x80\"")), 1007},
		{"a byte above 64 KiB", client.RawFrame(fin|text, padded(protocol.MaxFrame+1)), 1009},
		{"64 MiB announced", []byte{fin | text, 0x80 | 127, 0, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4}, 1009},
		{"a length that RFC 6455 does not allow", []byte{fin | text, 0x80 | 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}, 1002},
		{"too much in fragments", append(client.RawFrame(text, padded(40000)), client.RawFrame(fin, make([]byte, 40000))...), 1009},
		{"unmasked", unmasked, 1002},
		{"compressed, though nobody agreed to that", client.RawFrame(fin|rsv1|text, sound), 1002},
		{"reserved bit", client.RawFrame(fin|0x10|text, sound), 1002},
		{"reserved opcode", client.RawFrame(fin|3, sound), 1002},
		{"continuation of nothing", client.RawFrame(fin, sound), 1002},
		{"ping in fragments", client.RawFrame(ping, nil), 1002},
		{"ping too long", client.RawFrame(fin|ping, make([]byte, 126)), 1002},
		{"close with a code that is none", client.RawFrame(fin|closing, []byte{0, 5}), 1002},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := there.connect(ada)
			if _, err := c.NetConn().Write(test.bytes); err != nil {
				t.Fatal(err)
			}
			if got := c.awaitClose(); got != test.closes {
				t.Errorf("closed with %d, want %d", got, test.closes)
			}
		})
	}
	untouched(t, here, before)

	c := there.connect(ada)
	c.NetConn().Write(client.RawFrame(fin|text, padded(protocol.MaxFrame)))
	await[*client.Stored](c) // 64 KiB are allowed
	for i, part := range [][]byte{sound[:20], sound[20:30], sound[30:]} {
		first := byte(0)
		if i == 0 {
			first = text
		}
		if i == 2 {
			first |= fin
		}
		c.NetConn().Write(client.RawFrame(first, part))
		c.sync() // a ping between the fragments
	}
	await[*client.Stored](c)
}

func TestRefusedUpgrades(t *testing.T) {
	s := startOne(t)
	ada := s.signIn("Ada")
	cookie := "Cookie: burble=" + ada.Token
	tests := []struct {
		name    string
		headers []string
		status  int
		code    protocol.Code
		field   string
	}{
		{"foreign Origin", []string{"Origin: https://evil.example"}, 403, protocol.NotAllowed, "origin"},
		{"foreign Origin with a cookie", []string{"Origin: https://evil.example", cookie}, 403, protocol.NotAllowed, "origin"},
		{"foreign Origin with a token", []string{"Origin: https://evil.example", ada.bearer()}, 403, protocol.NotAllowed, "origin"},
		{"Origin null", []string{"Origin: null", cookie}, 403, protocol.NotAllowed, "origin"},
		{"same host, other port", []string{"Origin: http://127.0.0.1:1", cookie}, 403, protocol.NotAllowed, "origin"},
		{"foreign Origin, host forged", []string{"Origin: https://evil.example", "X-Forwarded-Host: evil.example"}, 403, protocol.NotAllowed, "origin"},
		{"no Origin, but a cookie", []string{cookie}, 403, protocol.NotAllowed, "origin"},
		{"token that is no good", []string{"Authorization: Bearer 1.2.3.4.5"}, 403, protocol.NotAllowed, "authorization"},
	}
	for _, test := range tests {
		c, refused := s.dial(test.headers...)
		if c != nil {
			t.Errorf("%s: let in", test.name)
			continue
		}
		if refused.Status != test.status || refused.Header.Get("Upgrade") != "" {
			t.Errorf("%s: %v", test.name, refused)
		}
	}
	for _, test := range tests { // as the dialer does not show the body
		upgrade := append(test.headers, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
		s.get("/ws", upgrade...).expectRefusal(t, test.status, test.code, test.field)
		// Another spelling of the address is no way around.
		for _, path := range []string{"/WS", "/ws/"} {
			if got := s.get(path, upgrade...); got.status != test.status && got.status != http.StatusNotFound {
				t.Errorf("%s at %s: %d", test.name, path, got.status)
			}
		}
	}
	for _, test := range []struct {
		query string
		code  protocol.Code
		field string
	}{
		{"room=Lobby", protocol.BadRoom, "room"},
		{"room=", protocol.BadField, "room"},
		{"after=1-0", protocol.BadField, "room"},
		{"last=5", protocol.BadField, "room"},
		{"room=lobby&after=yesterday", protocol.BadField, "after"},
		{"room=lobby&after=", protocol.BadField, "after"},
		{"room=lobby&after=1-0&last=5", protocol.BadField, "last"},
		{"room=lobby&last=501", protocol.BadField, "last"},
		{"room=lobby&last=", protocol.BadField, "last"},
		{"room=lobby&html=yes", protocol.BadField, "html"},
		{"room=lobby&watch=", protocol.BadField, "watch"},
		{"room=lobby&deflate=1", protocol.BadField, "deflate"},
		{"room=lobby&key=1", protocol.BadField, "key"},
		{"room=lobby&type=send", protocol.BadField, "type"},
		{"room=%ff", protocol.BadField, "room"},
	} {
		s.get("/ws?"+test.query, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
			"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==").expectRefusal(t, 400, test.code, test.field)
	}
	s.get("/ws").expectRefusal(t, 426, protocol.BadFrame, "")
	s.get("/ws", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 12", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==").expectRefusal(t, 426, protocol.BadFrame, "")
	s.get("/ws", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13").expectRefusal(t, 426, protocol.BadFrame, "")
}

// postTest is a POST that is refused.
type postTest struct {
	name, kind, body string
	headers          []string
	status           int
	code             protocol.Code
	field            string
}

const (
	jsonKind = "application/json"
	formKind = "application/x-www-form-urlencoded"
)

func TestBadPostsOfMessages(t *testing.T) {
	here, there := startTwo(t, newMiniredis(t))
	ada, bob := here.signIn("Ada"), there.signIn("Bob")
	used := here.post(ada, "lobby", "mine").Key
	before := here.history("lobby", "")
	big := strings.Repeat("x", protocol.MaxFrame)
	tests := []postTest{
		{"not JSON", jsonKind, `hello`, nil, 400, protocol.BadFrame, ""},
		{"an array", jsonKind, `["hi"]`, nil, 400, protocol.BadFrame, ""},
		{"null", jsonKind, `null`, nil, 400, protocol.BadFrame, ""},
		{"nothing", jsonKind, ``, nil, 400, protocol.BadFrame, ""},
		{"two objects", jsonKind, `{"text":"hi"}{}`, nil, 400, protocol.BadFrame, ""},
		{"nested without end", jsonKind, `{"text":` + strings.Repeat("[", 60000), nil, 400, protocol.BadFrame, ""},
		{"JSON that is not UTF-8", jsonKind, `{"text":"` + badUTF8 + `"}`, nil, 400, protocol.BadFrame, ""},
		{"unknown field", jsonKind, `{"text":"hi","room":"lobby"}`, nil, 400, protocol.BadField, "room"},
		{"no text", jsonKind, `{}`, nil, 400, protocol.BadField, "text"},
		{"text null", jsonKind, `{"text":null}`, nil, 400, protocol.BadField, "text"},
		{"text a number", jsonKind, `{"text":1e999}`, nil, 400, protocol.BadField, "text"},
		{"text empty", jsonKind, `{"text":" \n"}`, nil, 400, protocol.BadField, "text"},
		{"text too long", jsonKind, `{"text":"` + tooManyCharacters + `"}`, nil, 413, protocol.TooLong, "text"},
		{"reply_to is no ID", jsonKind, `{"text":"hi","reply_to":"x"}`, nil, 400, protocol.BadField, "reply_to"},
		{"reply_to what never was", jsonKind, `{"text":"hi","reply_to":"1-1"}`, nil, 404, protocol.NotFound, "reply_to"},
		{"reply_to a list", jsonKind, `{"text":"hi","reply_to":["1-1"]}`, nil, 400, protocol.BadField, "reply_to"},
		{"key is no UUID", jsonKind, `{"text":"hi"}`, []string{"Idempotency-Key: 1"}, 400, protocol.BadField, "Idempotency-Key"},
		{"key empty", jsonKind, `{"text":"hi"}`, []string{"Idempotency-Key: "}, 400, protocol.BadField, "Idempotency-Key"},
		{"key empty, in the body", jsonKind, `{"text":"hi","key":""}`, nil, 400, protocol.BadField, "key"},
		{"key empty, and a good one in the body", jsonKind, `{"text":"hi","key":"` + aKey + `"}`, []string{"Idempotency-Key: "}, 400, protocol.BadField, "Idempotency-Key"},
		{"reply_to empty", jsonKind, `{"text":"hi","reply_to":""}`, nil, 400, protocol.BadField, "reply_to"},
		{"key of somebody else", jsonKind, `{"text":"hi"}`, []string{"Idempotency-Key: " + used}, 400, protocol.BadField, "key"},
		{"body above 64 KiB", jsonKind, `{"text":"` + big + `"}`, nil, 413, protocol.TooLong, ""},
		{"form: no text", formKind, ``, nil, 400, protocol.BadField, "text"},
		{"form: unknown field", formKind, `text=hi&colour=red`, nil, 400, protocol.BadField, "colour"},
		{"form: not UTF-8", formKind, `text=%ff%fe`, nil, 400, protocol.BadField, "text"},
		{"form: text too long", formKind, `text=` + tooManyCharacters, nil, 413, protocol.TooLong, "text"},
		{"form: body above 64 KiB", formKind, `text=` + big, nil, 413, protocol.TooLong, ""},
		{"text: empty", "text/plain", ``, nil, 400, protocol.BadField, "text"},
		{"text: not UTF-8", "text/plain", badUTF8, nil, 400, protocol.BadFrame, ""},
		{"text: too long", "text/plain; charset=utf-8", tooManyCharacters, nil, 413, protocol.TooLong, "text"},
		{"no type", "", `hi`, nil, 415, protocol.BadField, "Content-Type"},
		{"XML", "application/xml", `<text>hi</text>`, nil, 415, protocol.BadField, "Content-Type"},
		{"type that is none", "json", `{"text":"hi"}`, nil, 415, protocol.BadField, "Content-Type"},
		{"parts", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nhi\r\n--x--\r\n", nil, 415, protocol.BadField, "Content-Type"},
		{"compressed", jsonKind, `{"text":"hi"}`, []string{"Content-Encoding: gzip"}, 415, protocol.BadField, "Content-Encoding"},
		{"compressed in the second place", jsonKind, `{"text":"hi"}`, []string{"Content-Encoding: identity", "Content-Encoding: gzip"}, 415, protocol.BadField, "Content-Encoding"},
		{"foreign Origin", jsonKind, `{"text":"hi"}`, []string{"Origin: https://evil.example"}, 403, protocol.NotAllowed, "origin"},
		{"Origin null", formKind, `text=hi`, []string{"Origin: null"}, 403, protocol.NotAllowed, "origin"},
		{"foreign Origin, host forged", jsonKind, `{"text":"hi"}`, []string{"Origin: https://evil.example", "X-Forwarded-Host: evil.example"}, 403, protocol.NotAllowed, "origin"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.check(t, there, "/r/lobby/messages", bob.bearer())
		})
	}
	there.postJSON("/r/lobby/messages?html=true", `{"text":"hi"}`, bob.bearer()).expectRefusal(t, 400, protocol.BadField, "html")
	for name, headers := range map[string][]string{
		"nobody":                        nil,
		"a token that is no good":       {"Authorization: Bearer x"},
		"a cookie, but no Origin":       {"Cookie: burble=" + bob.Token},
		"a cookie, foreign Origin":      {"Cookie: burble=" + bob.Token, "Origin: https://evil.example"},
		"a cookie that is no good":      {"Cookie: burble=x", "Origin: http://" + there.host},
		"another way to say who one is": {"Authorization: Basic " + bob.Token},
	} {
		if got := there.postJSON("/r/lobby/messages", `{"text":"hi"}`, headers...); got.status != 403 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	for _, room := range badRooms {
		got := there.postJSON("/r/"+room+"/messages", `{"text":"hi"}`, bob.bearer())
		got.expectRefusal(t, 400, protocol.BadRoom, "room")
	}
	untouched(t, here, before)
}

// badRooms are names, as an address has them, that no room can have.
var badRooms = []string{"Lobby", "-a", "_a", "a.b", "a%20b", "a%2Fb", "%6Cobby", "l%C3%B6bby", "a%0Ab", "a%00", "a%7Db", "..a", "{0}", strings.Repeat("a", 65)}

func (p *postTest) check(t *testing.T, s *testServer, path string, headers ...string) {
	t.Helper()
	headers = append(headers, p.headers...)
	if p.kind != "" {
		headers = append(headers, "Content-Type: "+p.kind)
	}
	s.request("POST", path, p.body, headers...).expectRefusal(t, p.status, p.code, p.field)
}

func TestBadPostsOfSessions(t *testing.T) {
	s := startOne(t)
	tests := []postTest{
		{"not JSON", jsonKind, `Ada`, nil, 400, protocol.BadFrame, ""},
		{"no name", jsonKind, `{}`, nil, 400, protocol.BadField, "name"},
		{"name empty", jsonKind, `{"name":""}`, nil, 400, protocol.BadField, "name"},
		{"name of spaces", jsonKind, `{"name":"   "}`, nil, 400, protocol.BadField, "name"},
		{"name null", jsonKind, `{"name":null}`, nil, 400, protocol.BadField, "name"},
		{"name a list", jsonKind, `{"name":["Ada"]}`, nil, 400, protocol.BadField, "name"},
		{"name too long", jsonKind, `{"name":"` + strings.Repeat("a", 41) + `"}`, nil, 400, protocol.BadField, "name"},
		{"name that turns the text around", jsonKind, `{"name":"Ada\u202e"}`, nil, 400, protocol.BadField, "name"},
		{"name with a line break", jsonKind, `{"name":"Ada\nBob"}`, nil, 400, protocol.BadField, "name"},
		{"name that nobody sees", jsonKind, `{"name":"\u200b"}`, nil, 400, protocol.BadField, "name"},
		{"name that is not UTF-8", formKind, `name=%ff`, nil, 400, protocol.BadField, "name"},
		{"an ID of one's own choice", jsonKind, `{"name":"Ada","id":"` + aKey + `"}`, nil, 400, protocol.BadField, "id"},
		{"plain text", "text/plain", `Ada`, nil, 415, protocol.BadField, "Content-Type"},
		{"compressed", jsonKind, `{"name":"Ada"}`, []string{"Content-Encoding: br"}, 415, protocol.BadField, "Content-Encoding"},
		{"body above 64 KiB", jsonKind, `{"name":"` + strings.Repeat("a", protocol.MaxFrame) + `"}`, nil, 413, protocol.TooLong, ""},
		{"foreign Origin", jsonKind, `{"name":"Ada"}`, []string{"Origin: https://evil.example"}, 403, protocol.NotAllowed, "origin"},
		{"token that is no good", jsonKind, `{"name":"Ada"}`, []string{"Authorization: Bearer x"}, 403, protocol.NotAllowed, "authorization"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.check(t, s, "/session") })
	}
	s.postJSON("/session?x=1", `{"name":"Ada"}`).expectRefusal(t, 400, protocol.BadField, "x")
	refused := s.postJSON("/session", `{}`)
	if cookie := refused.header.Get("Set-Cookie"); cookie != "" {
		t.Errorf("a refused session set %s", cookie)
	}
}

func TestBadGetsOfMessages(t *testing.T) {
	s := startOne(t)
	s.post(s.signIn("Ada"), "lobby", "hi")
	for _, test := range []struct{ query, field string }{
		{"?limit=0", "limit"}, {"?limit=501", "limit"}, {"?limit=-1", "limit"}, {"?limit=ten", "limit"},
		{"?limit=1.5", "limit"}, {"?limit=99999999999999999999", "limit"}, {"?limit=0x10", "limit"},
		{"?before=yesterday", "before"}, {"?before=0-0", "before"}, {"?before=1-1@", "before"}, {"?before=1", "before"},
		{"?after=x", "after"}, {"?after=1-1-1", "after"}, {"?after=%ff", "after"}, {"?around=-1-0", "around"},
		{"?at=noon", "at"}, {"?at=2026-13-01", "at"}, {"?at=1969-12-31", "at"}, {"?at=99999-01-01", "at"},
		{"?before=1-1&after=1-1", "before"}, {"?at=2026-03-01&around=1-1", "at"},
		{"?limit=", "limit"}, {"?before=", "before"}, {"?after=", "after"}, {"?around=", "around"}, {"?at=", "at"}, {"?html=", "html"},
		{"?html=yes", "html"}, {"?last=5", "last"}, {"?Limit=5", "Limit"},
		{"?" + strings.Repeat("x", 100) + "=1", strings.Repeat("x", protocol.MaxClip) + "…"},
	} {
		got := s.get("/r/lobby/messages" + test.query)
		got.expectRefusal(t, 400, protocol.BadField, test.field)
	}
	s.get("/rooms?limit=5").expectRefusal(t, 400, protocol.BadField, "limit")
	for _, room := range badRooms {
		s.get("/r/"+room+"/messages").expectRefusal(t, 400, protocol.BadRoom, "room")
	}
	s.get("/r/lobby/messages", "Origin: https://evil.example").expectRefusal(t, 403, protocol.NotAllowed, "origin")
}

func TestBadGetsOfEvents(t *testing.T) {
	s := startOne(t)
	for _, test := range []struct{ query, header, field string }{
		{"?last=501", "", "last"}, {"?last=-1", "", "last"}, {"?last=all", "", "last"},
		{"?after=x", "", "after"}, {"?after=1-1@", "", "after"}, {"?after=%ff", "", "after"}, {"?after=$", "", "after"},
		{"?last=", "", "last"}, {"?after=", "", "after"}, {"?after=0-0&last=5", "", "last"}, {"?after=x", "Last-Event-ID: 0-0", "after"},
		{"?limit=5", "", "limit"}, {"?html=true", "", "html"},
		{"", "Last-Event-ID: yesterday", "Last-Event-ID"}, {"?after=0-0", "Last-Event-ID: 1-1@\"", "Last-Event-ID"},
	} {
		var headers []string
		if test.header != "" {
			headers = []string{test.header}
		}
		for _, accept := range []string{"text/event-stream", "application/x-ndjson", "text/plain"} {
			got := s.get("/r/lobby/events"+test.query, append(headers, "Accept: "+accept)...)
			got.expectRefusal(t, 400, protocol.BadField, test.field)
		}
	}
	for _, room := range badRooms {
		s.get("/r/"+room+"/events").expectRefusal(t, 400, protocol.BadRoom, "room")
	}
	s.get("/r/lobby/events", "Origin: https://evil.example").expectRefusal(t, 403, protocol.NotAllowed, "origin")
	s.get("/r/lobby/events", "Origin: null").expectRefusal(t, 403, protocol.NotAllowed, "origin")
	if reads := s.live.Count(); reads != 0 {
		t.Errorf("%d live reads were begun", reads)
	}
}

func TestBadAddressesOfPages(t *testing.T) {
	s := startOne(t)
	id := s.post(s.signIn("Ada"), "lobby", "hi").ID
	tests := []struct {
		path   string
		status int
	}{
		{"/r/lobby?before=x", 400}, {"/r/lobby?at=noon", 400}, {"/r/lobby?limit=0", 400},
		{"/r/lobby?before=1-1&after=1-1", 400}, {"/r/lobby/first", 404}, {"/r/lobby/0-0", 404},
		{"/r/lobby/" + id + "@x", 404}, {"/r/lobby/" + id + "/more", 404}, {"/r/", 404}, {"/r", 404}, {"/nothing", 404},
		{"/static/nothing", 404}, {"/r/lobby/../../etc/passwd", 404}, {"/%2e%2e/", 404},
	}
	for _, room := range badRooms {
		tests = append(tests, struct {
			path   string
			status int
		}{"/r/" + room, 400})
	}
	for _, test := range tests {
		page := s.get(test.path, "Accept: text/html,*/*;q=0.8")
		if page.status != test.status || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") || !strings.Contains(page.body, "All rooms") {
			t.Errorf("%s, for a browser: %d %s", test.path, page.status, page.header.Get("Content-Type"))
		}
		object := s.get(test.path)
		var told errorBody
		if object.decode(t, &told); object.status != test.status || told.Error.Code == "" || told.Error.Message == "" {
			t.Errorf("%s, for a program: %d %s", test.path, object.status, object.body)
		}
	}
	if page := s.get("/open?room=Lobby", "Accept: text/html"); page.status != 400 || !strings.Contains(page.body, "A room&#39;s name has") {
		t.Errorf("/open: %d", page.status)
	}
}

func TestRequestsThatAreHardlyHTTP(t *testing.T) {
	s := startOne(t)
	if got := s.get("/", tooLongHeader); got.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("header of 20 KB: %d", got.status)
	}
	for _, method := range []string{"PUT", "DELETE", "PATCH", "OPTIONS"} {
		got := s.request(method, "/r/lobby/messages", "")
		got.expectRefusal(t, 405, protocol.NotFound, "")
		if allow := got.header.Get("Allow"); allow != "GET, HEAD, POST" {
			t.Errorf("%s: Allow is %q", method, allow)
		}
		s.request(method, "/nothing", "").expectRefusal(t, 404, protocol.NotFound, "")
	}
	if got := s.postJSON("/rooms", "{}"); got.status != 405 || got.header.Get("Allow") != "GET, HEAD" {
		t.Errorf("a post to the rooms: %d, Allow %q", got.status, got.header.Get("Allow"))
	}
	head := s.request("HEAD", "/r/lobby/events", "")
	if head.status != 200 || head.header.Get("Content-Type") != "text/event-stream" || s.live.Count() != 0 {
		t.Errorf("HEAD of a live read: %d %v, %d live reads", head.status, head.header, s.live.Count())
	}
	s.request("HEAD", "/r/lobby/search?q=x", "")
	if again := s.get("/r/lobby/search?q=x"); again.status != 200 {
		t.Errorf("a search after HEAD of one: %d", again.status)
	}
}
