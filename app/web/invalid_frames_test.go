package web

import (
	"encoding/json"
	"strings"
	"testing"

	"burble/app/client"
	"burble/app/protocol"
)

// adasMessage stands for the ID of a message by another user in the lobby.
const adasMessage = "ADAS_MESSAGE"

func sendFrame(more string) string {
	return `{"type":"send","room":"lobby","key":"` + validKey + `",` + more + `}`
}

func reactFrame(more string) string {
	return `{"type":"react","room":"lobby","key":"` + validKey + `","of":"` + adasMessage + `",` + more + `}`
}

func followFrame(more string) string { return `{"type":"follow","room":"lobby",` + more + `}` }

func nestedArrays(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

var invalidFrames = []struct {
	name, frame string
	code        protocol.Code
	field       string
	closes      int // the close code, or 0 if the connection stays open
}{
	{"empty", ``, protocol.BadFrame, "", 1008},
	{"not JSON", `hello`, protocol.BadFrame, "", 1008},
	{"incomplete JSON", `{"type":"send"`, protocol.BadFrame, "", 1008},
	{"two objects", `{"type":"unfollow","room":"lobby"}{}`, protocol.BadFrame, "", 1008},
	{"nested too deeply", nestedArrays(32000), protocol.BadFrame, "", 1008},
	{"hexadecimal number", `{"type":"follow","room":"lobby","last":0x10}`, protocol.BadFrame, "", 1008},
	{"array", `[]`, protocol.BadFrame, "", 0},
	{"null", `null`, protocol.BadFrame, "", 0},
	{"string", `"send"`, protocol.BadFrame, "", 0},
	{"nested deeply", nestedArrays(9000), protocol.BadFrame, "", 0},
	{"without type", `{}`, protocol.BadField, "type", 0},
	{"type of the wrong type", `{"type":1}`, protocol.BadField, "type", 0},
	{"type null", `{"type":null}`, protocol.BadField, "type", 0},
	{"unknown type", `{"type":"shout","room":"lobby"}`, protocol.BadFrame, "type", 0},
	{"type of a server frame", `{"type":"entries","room":"lobby"}`, protocol.BadFrame, "type", 0},
	{"type in upper case", `{"type":"SEND","room":"lobby"}`, protocol.BadFrame, "type", 0},
	{"unknown type of 60,000 characters", `{"type":"` + strings.Repeat("x", 60000) + `"}`, protocol.BadFrame, "type", 0},
	{"unknown field", sendFrame(`"text":"hi","colour":"red"`), protocol.BadField, "colour", 0},
	{"field of another frame type", followFrame(`"text":"hi"`), protocol.BadField, "text", 0},
	{"field name in upper case", sendFrame(`"Text":"hi","text":"hi"`), protocol.BadField, "Text", 0},
	{"empty field name", sendFrame(`"text":"hi","":1`), protocol.BadField, "", 0},
	{"without room", `{"type":"follow"}`, protocol.BadField, "room", 0},
	{"room null", `{"type":"follow","room":null}`, protocol.BadField, "room", 0},
	{"room of the wrong type", `{"type":"follow","room":["lobby"]}`, protocol.BadField, "room", 0},
	{"empty room", `{"type":"follow","room":""}`, protocol.BadRoom, "room", 0},
	{"room in upper case", `{"type":"follow","room":"Lobby"}`, protocol.BadRoom, "room", 0},
	{"room too long", `{"type":"follow","room":"` + strings.Repeat("a", 65) + `"}`, protocol.BadRoom, "room", 0},
	{"room with a brace, as in a Redis key", `{"type":"follow","room":"a}b"}`, protocol.BadRoom, "room", 0},
	{"room with a line break", `{"type":"follow","room":"a\nb"}`, protocol.BadRoom, "room", 0},
	{"room that starts with -", `{"type":"unfollow","room":"-a"}`, protocol.BadRoom, "room", 0},
	{"after is not a cursor", followFrame(`"after":"yesterday"`), protocol.BadField, "after", 0},
	{"empty after", followFrame(`"after":""`), protocol.BadField, "after", 0},
	{"after with a sign", followFrame(`"after":"+1-0"`), protocol.BadField, "after", 0},
	{"after with half an entry ID", followFrame(`"after":"1732281600000"`), protocol.BadField, "after", 0},
	{"after beyond 64 bits", followFrame(`"after":"18446744073709551616-0"`), protocol.BadField, "after", 0},
	{"after with an empty epoch", followFrame(`"after":"1-1@"`), protocol.BadField, "after", 0},
	{"after with an invalid epoch", followFrame(`"after":"1-1@a\nb"`), protocol.BadField, "after", 0},
	{"after of the wrong type", followFrame(`"after":5`), protocol.BadField, "after", 0},
	{"after is $, as in Redis", followFrame(`"after":"$"`), protocol.BadField, "after", 0},
	{"last below 0", followFrame(`"last":-1`), protocol.BadField, "last", 0},
	{"last above 500", followFrame(`"last":501`), protocol.BadField, "last", 0},
	{"last with a fraction", followFrame(`"last":1.5`), protocol.BadField, "last", 0},
	{"last beyond 64 bits", followFrame(`"last":99999999999999999999`), protocol.BadField, "last", 0},
	{"last of 1,000,000 digits", followFrame(`"last":1e999999`), protocol.BadField, "last", 0},
	{"last is a string", followFrame(`"last":"50"`), protocol.BadField, "last", 0},
	{"last null", followFrame(`"last":null`), protocol.BadField, "last", 0},
	{"both after and last", followFrame(`"after":"0-0","last":5`), protocol.BadField, "last", 0},
	{"html is a string", followFrame(`"html":"true"`), protocol.BadField, "html", 0},
	{"html null", followFrame(`"html":null`), protocol.BadField, "html", 0},
	{"without text", `{"type":"send","room":"lobby","key":"` + validKey + `"}`, protocol.BadField, "text", 0},
	{"empty text", sendFrame(`"text":""`), protocol.BadField, "text", 0},
	{"text of spaces", sendFrame(`"text":" \n\t "`), protocol.BadField, "text", 0},
	{"text null", sendFrame(`"text":null`), protocol.BadField, "text", 0},
	{"text is a nested array", sendFrame(`"text":` + nestedArrays(5000)), protocol.BadField, "text", 0},
	{"text too long", sendFrame(`"text":"` + tooLongText + `"`), protocol.TooLong, "text", 0},
	{"without key", `{"type":"send","room":"lobby","text":"hi"}`, protocol.BadField, "key", 0},
	{"key is not a UUID", `{"type":"send","room":"lobby","key":"1","text":"hi"}`, protocol.BadField, "key", 0},
	{"key in braces", `{"type":"send","room":"lobby","key":"{` + validKey + `}","text":"hi"}`, protocol.BadField, "key", 0},
	{"key of the wrong type", `{"type":"send","room":"lobby","key":1,"text":"hi"}`, protocol.BadField, "key", 0},
	{"room of the wrong type, with a key", `{"type":"send","key":"` + validKey + `","room":5,"text":"hi"}`, protocol.BadField, "room", 0},
	{"room in upper case, with a key", `{"type":"send","room":"Lobby","key":"` + validKey + `","text":"hi"}`, protocol.BadRoom, "room", 0},
	{"room in upper case, after the key", `{"key":"` + validKey + `","type":"topic","text":"hi","room":"Lobby"}`, protocol.BadRoom, "room", 0},
	{"invalid room and key of 300 characters", `{"type":"send","room":"` + strings.Repeat("é", 300) + `","key":"` + strings.Repeat("é", 300) + `","text":"hi"}`, protocol.BadRoom, "room", 0},
	{"reply_to is not an ID", sendFrame(`"text":"hi","reply_to":"first"`), protocol.BadField, "reply_to", 0},
	{"reply_to is a cursor", sendFrame(`"text":"hi","reply_to":"1-1@abc"`), protocol.BadField, "reply_to", 0},
	{"reply_to is 0-0", sendFrame(`"text":"hi","reply_to":"0-0"`), protocol.BadField, "reply_to", 0},
	{"reply_to a message that does not exist", sendFrame(`"text":"hi","reply_to":"1-1"`), protocol.NotFound, "reply_to", 0},
	{"without of", `{"type":"delete","room":"lobby","key":"` + validKey + `"}`, protocol.BadField, "of", 0},
	{"of is not an ID", `{"type":"delete","room":"lobby","key":"` + validKey + `","of":"-"}`, protocol.BadField, "of", 0},
	{"of is another user's message", `{"type":"delete","room":"lobby","key":"` + validKey + `","of":"` + adasMessage + `"}`, protocol.NotYours, "of", 0},
	{"of is in another room", `{"type":"react","room":"dev","key":"` + validKey + `","of":"` + adasMessage + `","emoji":"👍","on":true}`, protocol.NotFound, "of", 0},
	{"empty emoji", reactFrame(`"emoji":"","on":true`), protocol.BadField, "emoji", 0},
	{"emoji with a space", reactFrame(`"emoji":"a b","on":true`), protocol.BadField, "emoji", 0},
	{"emoji too long", reactFrame(`"emoji":"👍` + strings.Repeat("\u200d👍", 12) + `","on":true`), protocol.BadField, "emoji", 0},
	{"two emoji", reactFrame(`"emoji":"👍👍","on":true`), protocol.BadField, "emoji", 0},
	{"emoji of the wrong type", reactFrame(`"emoji":1,"on":true`), protocol.BadField, "emoji", 0},
	{"without on", reactFrame(`"emoji":"👍"`), protocol.BadField, "on", 0},
	{"on is a number", reactFrame(`"emoji":"👍","on":1`), protocol.BadField, "on", 0},
	{"on null", reactFrame(`"emoji":"👍","on":null`), protocol.BadField, "on", 0},
}

// An invalid frame gets an error with a code and a field, stores nothing, and leaves the connection
// open unless the table has a close code.
func TestInvalidFrames(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	ada, bob := here.signIn("Ada"), there.signIn("Bob")
	messageID := here.post(ada, "lobby", "mine").ID
	before := here.history("lobby", "")
	shared := there.connect(bob)
	for _, test := range invalidFrames {
		t.Run(test.name, func(t *testing.T) {
			c := shared
			if test.closes != 0 {
				c = there.with(t).connect(bob)
			}
			frame := strings.ReplaceAll(test.frame, adasMessage, messageID)
			c.send(frame)
			got := awaitReceived[*client.Error](c)
			refused := got.Frame.(*client.Error)
			if refused.Code != string(test.code) || refused.Field != test.field || refused.Message == "" || len(got.text) > 600 {
				t.Errorf("got %+v, want code %s, field %q", refused, test.code, test.field)
			}
			// The error repeats the room and the key, even if they are invalid, so that the client can
			// match it to its frame.
			var sent struct{ Room, Key any }
			json.Unmarshal([]byte(frame), &sent)
			room, _ := sent.Room.(string)
			key, _ := sent.Key.(string)
			if refused.Room != protocol.Shorten(room) || refused.Key != protocol.Shorten(key) {
				t.Errorf("got %+v, want the room %q and the key %q", refused, room, key)
			}
			if test.closes == 0 {
				c.sync()
			} else if got := c.awaitClose(); got != test.closes {
				t.Errorf("closed with %d, want %d", got, test.closes)
			}
		})
	}
	expectUnchanged(t, here, before)
	if shared.post("lobby", "still works"); len(shared.entries) > 0 {
		t.Errorf("the server followed a room after an invalid follow: %v", shared.entries)
	}
}

func TestInvalidWebSocketFrames(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	ada := here.signIn("Ada")
	here.post(ada, "lobby", "before")
	before := here.history("lobby", "")
	const fin, rsv1, rsv3, text, binary, closing, ping = 0x80, 0x40, 0x10, 1, 2, 8, 9
	message := []byte(`{"type":"send","room":"lobby","key":"` + validKey + `","text":"hi"}`)
	padded := func(size int) []byte { return append(message, strings.Repeat(" ", size-len(message))...) }
	for _, test := range []struct {
		name   string
		bytes  []byte
		closes int
	}{
		{"binary", client.RawFrame(fin|binary, message), 1003},
		{"not UTF-8", client.RawFrame(fin|text, []byte(`{"type":"send","text":"`+badUTF8+`"}`)), 1007},
		{"half a surrogate pair in UTF-8", client.RawFrame(fin|text, []byte("\"\xed\xa0\x80\"")), 1007},
		{"one byte above 64 KiB", client.RawFrame(fin|text, padded(protocol.MaxFrame+1)), 1009},
		{"64 MiB, only the header", []byte{fin | text, 0x80 | 127, 0, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4}, 1009},
		{"length above 2^63, which RFC 6455 forbids", []byte{fin | text, 0x80 | 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}, 1002},
		{"fragments above 64 KiB", append(client.RawFrame(text, padded(40000)), client.RawFrame(fin, make([]byte, 40000))...), 1009},
		{"not masked", append([]byte{fin | text, byte(len(message))}, message...), 1002},
		{"compressed without negotiation", client.RawFrame(fin|rsv1|text, message), 1002},
		{"reserved bit", client.RawFrame(fin|rsv3|text, message), 1002},
		{"reserved opcode", client.RawFrame(fin|3, message), 1002},
		{"continuation of nothing", client.RawFrame(fin, message), 1002},
		{"fragmented ping", client.RawFrame(ping, nil), 1002},
		{"ping too long", client.RawFrame(fin|ping, make([]byte, 126)), 1002},
		{"invalid close code", client.RawFrame(fin|closing, []byte{0, 5}), 1002},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := there.with(t).connect(ada)
			if err := c.WriteRaw(test.bytes); err != nil {
				t.Fatal(err)
			}
			if got := c.awaitClose(); got != test.closes {
				t.Errorf("closed with %d, want %d", got, test.closes)
			}
		})
	}
	expectUnchanged(t, here, before)

	// A message of 64 KiB is valid, and so is a fragmented one with pings between its frames.
	c := there.connect(ada)
	c.WriteRaw(client.RawFrame(fin|text, padded(protocol.MaxFrame)))
	await[*client.Stored](c)
	c.WriteRaw(client.RawFrame(text, message[:20]))
	c.sync()
	c.WriteRaw(client.RawFrame(0, message[20:30]))
	c.sync()
	c.WriteRaw(client.RawFrame(fin, message[30:]))
	await[*client.Stored](c)
}
