package web

import (
	"strings"
	"testing"

	"burble/app/protocol"
)

// postTest is a POST request that the server must refuse.
type postTest struct {
	name, contentType, body string
	headers                 []string
	status                  int
	code                    protocol.Code
	field                   string
}

// adasKey is the key of a message by another user.
const adasKey = "1f0e7c52-8a3b-4d19-9c6e-5b7a2d4f8e10"

var tooLarge = strings.Repeat("x", protocol.MaxFrame)

var invalidMessagePosts = []postTest{
	{"not JSON", jsonType, `hello`, nil, 400, protocol.BadFrame, ""},
	{"array", jsonType, `["hi"]`, nil, 400, protocol.BadFrame, ""},
	{"null", jsonType, `null`, nil, 400, protocol.BadFrame, ""},
	{"empty", jsonType, ``, nil, 400, protocol.BadFrame, ""},
	{"two objects", jsonType, `{"text":"hi"}{}`, nil, 400, protocol.BadFrame, ""},
	{"nested too deeply", jsonType, `{"text":` + strings.Repeat("[", 60000), nil, 400, protocol.BadFrame, ""},
	{"JSON that is not UTF-8", jsonType, `{"text":"` + badUTF8 + `"}`, nil, 400, protocol.BadFrame, ""},
	{"unknown field", jsonType, `{"text":"hi","room":"lobby"}`, nil, 400, protocol.BadField, "room"},
	{"without text", jsonType, `{}`, nil, 400, protocol.BadField, "text"},
	{"text is null", jsonType, `{"text":null}`, nil, 400, protocol.BadField, "text"},
	{"text is a number", jsonType, `{"text":1e999}`, nil, 400, protocol.BadField, "text"},
	{"text of white space", jsonType, `{"text":" \n"}`, nil, 400, protocol.BadField, "text"},
	{"text too long", jsonType, `{"text":"` + tooLongText + `"}`, nil, 413, protocol.TooLong, "text"},
	{"reply_to is not an ID", jsonType, `{"text":"hi","reply_to":"x"}`, nil, 400, protocol.BadField, "reply_to"},
	{"reply_to a message that does not exist", jsonType, `{"text":"hi","reply_to":"1-1"}`, nil, 404, protocol.NotFound, "reply_to"},
	{"reply_to is an array", jsonType, `{"text":"hi","reply_to":["1-1"]}`, nil, 400, protocol.BadField, "reply_to"},
	{"key is not a UUID", jsonType, `{"text":"hi"}`, []string{"Idempotency-Key: 1"}, 400, protocol.BadField, "Idempotency-Key"},
	{"empty key", jsonType, `{"text":"hi"}`, []string{"Idempotency-Key: "}, 400, protocol.BadField, "Idempotency-Key"},
	{"empty key in the body", jsonType, `{"text":"hi","key":""}`, nil, 400, protocol.BadField, "key"},
	{"empty key, and a valid one in the body", jsonType, `{"text":"hi","key":"` + validKey + `"}`, []string{"Idempotency-Key: "}, 400, protocol.BadField, "Idempotency-Key"},
	{"empty reply_to", jsonType, `{"text":"hi","reply_to":""}`, nil, 400, protocol.BadField, "reply_to"},
	{"another user's key", jsonType, `{"text":"hi"}`, []string{"Idempotency-Key: " + adasKey}, 400, protocol.BadField, "key"},
	{"body above 64 KiB", jsonType, `{"text":"` + tooLarge + `"}`, nil, 413, protocol.TooLong, ""},
	{"form without text", formType, ``, nil, 400, protocol.BadField, "text"},
	{"form with an unknown field", formType, `text=hi&colour=red`, nil, 400, protocol.BadField, "colour"},
	{"form that is not UTF-8", formType, `text=%ff%fe`, nil, 400, protocol.BadField, "text"},
	{"form with text that is too long", formType, `text=` + tooLongText, nil, 413, protocol.TooLong, "text"},
	{"form above 64 KiB", formType, `text=` + tooLarge, nil, 413, protocol.TooLong, ""},
	{"plain text, empty", "text/plain", ``, nil, 400, protocol.BadField, "text"},
	{"plain text, not UTF-8", "text/plain", badUTF8, nil, 400, protocol.BadFrame, ""},
	{"plain text, too long", "text/plain; charset=utf-8", tooLongText, nil, 413, protocol.TooLong, "text"},
	{"without content type", "", `hi`, nil, 415, protocol.BadField, "Content-Type"},
	{"XML", "application/xml", `<text>hi</text>`, nil, 415, protocol.BadField, "Content-Type"},
	{"invalid content type", "json", `{"text":"hi"}`, nil, 415, protocol.BadField, "Content-Type"},
	{"multipart form", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nhi\r\n--x--\r\n", nil, 415, protocol.BadField, "Content-Type"},
	{"compressed", jsonType, `{"text":"hi"}`, []string{"Content-Encoding: gzip"}, 415, protocol.BadField, "Content-Encoding"},
	{"compressed, in a second header", jsonType, `{"text":"hi"}`, []string{"Content-Encoding: identity", "Content-Encoding: gzip"}, 415, protocol.BadField, "Content-Encoding"},
	{"other origin", jsonType, `{"text":"hi"}`, []string{"Origin: https://evil.example"}, 403, protocol.NotAllowed, "origin"},
	{"origin null", formType, `text=hi`, []string{"Origin: null"}, 403, protocol.NotAllowed, "origin"},
	{"other origin, forged host", jsonType, `{"text":"hi"}`, []string{"Origin: https://evil.example", "X-Forwarded-Host: evil.example"}, 403, protocol.NotAllowed, "origin"},
}

func TestInvalidMessagePosts(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	ada, bob := here.signIn("Ada"), there.signIn("Bob")
	if got := here.postJSON("/r/lobby/messages", `{"text":"mine","key":"`+adasKey+`"}`, ada.bearer()); got.status != 201 {
		t.Fatalf("post: status %d, want 201: %s", got.status, got.body)
	}
	before := here.history("lobby", "")
	for _, test := range invalidMessagePosts {
		t.Run(test.name, func(t *testing.T) { test.check(t, there, "/r/lobby/messages", bob.bearer()) })
	}
	there.postJSON("/r/lobby/messages?html=true", `{"text":"hi"}`, bob.bearer()).expectRefusal(t, 400, protocol.BadField, "html")
	for name, headers := range map[string][]string{
		"no credentials":             nil,
		"invalid token":              {"Authorization: Bearer x"},
		"cookie without origin":      {"Cookie: burble=" + bob.Token},
		"cookie from another origin": {"Cookie: burble=" + bob.Token, "Origin: https://evil.example"},
		"invalid cookie":             {"Cookie: burble=x", "Origin: http://" + there.host},
		"another scheme":             {"Authorization: Basic " + bob.Token},
	} {
		if got := there.postJSON("/r/lobby/messages", `{"text":"hi"}`, headers...); got.status != 403 {
			t.Errorf("%s: status %d, want 403: %s", name, got.status, got.body)
		}
	}
	for _, room := range invalidRooms {
		got := there.postJSON("/r/"+room+"/messages", `{"text":"hi"}`, bob.bearer())
		got.expectRefusal(t, 400, protocol.BadRoom, "room")
	}
	expectUnchanged(t, here, before)
}

// check makes the request and checks that it is refused.
func (p *postTest) check(t *testing.T, s *testServer, path string, headers ...string) {
	t.Helper()
	headers = append(headers, p.headers...)
	if p.contentType != "" {
		headers = append(headers, "Content-Type: "+p.contentType)
	}
	s.with(t).request("POST", path, p.body, headers...).expectRefusal(t, p.status, p.code, p.field)
}

func TestInvalidSessionPosts(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	tests := []postTest{
		{"not JSON", jsonType, `Ada`, nil, 400, protocol.BadFrame, ""},
		{"without name", jsonType, `{}`, nil, 400, protocol.BadField, "name"},
		{"empty name", jsonType, `{"name":""}`, nil, 400, protocol.BadField, "name"},
		{"name of white space", jsonType, `{"name":"   "}`, nil, 400, protocol.BadField, "name"},
		{"name is null", jsonType, `{"name":null}`, nil, 400, protocol.BadField, "name"},
		{"name is an array", jsonType, `{"name":["Ada"]}`, nil, 400, protocol.BadField, "name"},
		{"name too long", jsonType, `{"name":"` + strings.Repeat("a", 41) + `"}`, nil, 400, protocol.BadField, "name"},
		{"name with a bidirectional control", jsonType, `{"name":"Ada\u202e"}`, nil, 400, protocol.BadField, "name"},
		{"name with a line break", jsonType, `{"name":"Ada\nBob"}`, nil, 400, protocol.BadField, "name"},
		{"invisible name", jsonType, `{"name":"\u200b"}`, nil, 400, protocol.BadField, "name"},
		{"name that is not UTF-8", formType, `name=%ff`, nil, 400, protocol.BadField, "name"},
		{"ID chosen by the client", jsonType, `{"name":"Ada","id":"` + validKey + `"}`, nil, 400, protocol.BadField, "id"},
		{"plain text", "text/plain", `Ada`, nil, 415, protocol.BadField, "Content-Type"},
		{"compressed", jsonType, `{"name":"Ada"}`, []string{"Content-Encoding: br"}, 415, protocol.BadField, "Content-Encoding"},
		{"body above 64 KiB", jsonType, `{"name":"` + strings.Repeat("a", protocol.MaxFrame) + `"}`, nil, 413, protocol.TooLong, ""},
		{"other origin", jsonType, `{"name":"Ada"}`, []string{"Origin: https://evil.example"}, 403, protocol.NotAllowed, "origin"},
		{"invalid token", jsonType, `{"name":"Ada"}`, []string{"Authorization: Bearer x"}, 403, protocol.NotAllowed, "authorization"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.check(t, s, "/session") })
	}
	s.postJSON("/session?x=1", `{"name":"Ada"}`).expectRefusal(t, 400, protocol.BadField, "x")
	refused := s.postJSON("/session", `{}`)
	if cookie := refused.header.Get("Set-Cookie"); cookie != "" {
		t.Errorf("a refused request set the cookie %s", cookie)
	}
}
