package web

import (
	"strings"
	"testing"

	"burble/app/protocol"
)

// postTest is a POST request that is refused.
type postTest struct {
	name, contentType, body string
	headers                 []string
	status                  int
	code                    protocol.Code
	field                   string
}

func TestInvalidMessagePosts(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	ada, bob := here.signIn("Ada"), there.signIn("Bob")
	used := here.post(ada, "lobby", "mine").Key
	before := here.history("lobby", "")
	big := strings.Repeat("x", protocol.MaxFrame)
	tests := []postTest{
		{"not JSON", jsonKind, `hello`, nil, 400, protocol.BadFrame, ""},
		{"array", jsonKind, `["hi"]`, nil, 400, protocol.BadFrame, ""},
		{"null", jsonKind, `null`, nil, 400, protocol.BadFrame, ""},
		{"empty", jsonKind, ``, nil, 400, protocol.BadFrame, ""},
		{"two objects", jsonKind, `{"text":"hi"}{}`, nil, 400, protocol.BadFrame, ""},
		{"nested too deeply", jsonKind, `{"text":` + strings.Repeat("[", 60000), nil, 400, protocol.BadFrame, ""},
		{"JSON that is not UTF-8", jsonKind, `{"text":"` + badUTF8 + `"}`, nil, 400, protocol.BadFrame, ""},
		{"unknown field", jsonKind, `{"text":"hi","room":"lobby"}`, nil, 400, protocol.BadField, "room"},
		{"without text", jsonKind, `{}`, nil, 400, protocol.BadField, "text"},
		{"text is null", jsonKind, `{"text":null}`, nil, 400, protocol.BadField, "text"},
		{"text is a number", jsonKind, `{"text":1e999}`, nil, 400, protocol.BadField, "text"},
		{"text of white space", jsonKind, `{"text":" \n"}`, nil, 400, protocol.BadField, "text"},
		{"text too long", jsonKind, `{"text":"` + tooLongText + `"}`, nil, 413, protocol.TooLong, "text"},
		{"reply_to is not an ID", jsonKind, `{"text":"hi","reply_to":"x"}`, nil, 400, protocol.BadField, "reply_to"},
		{"reply_to a message that does not exist", jsonKind, `{"text":"hi","reply_to":"1-1"}`, nil, 404, protocol.NotFound, "reply_to"},
		{"reply_to is an array", jsonKind, `{"text":"hi","reply_to":["1-1"]}`, nil, 400, protocol.BadField, "reply_to"},
		{"key is not a UUID", jsonKind, `{"text":"hi"}`, []string{"Idempotency-Key: 1"}, 400, protocol.BadField, "Idempotency-Key"},
		{"empty key", jsonKind, `{"text":"hi"}`, []string{"Idempotency-Key: "}, 400, protocol.BadField, "Idempotency-Key"},
		{"empty key in the body", jsonKind, `{"text":"hi","key":""}`, nil, 400, protocol.BadField, "key"},
		{"empty key, and a valid one in the body", jsonKind, `{"text":"hi","key":"` + aKey + `"}`, []string{"Idempotency-Key: "}, 400, protocol.BadField, "Idempotency-Key"},
		{"empty reply_to", jsonKind, `{"text":"hi","reply_to":""}`, nil, 400, protocol.BadField, "reply_to"},
		{"another user's key", jsonKind, `{"text":"hi"}`, []string{"Idempotency-Key: " + used}, 400, protocol.BadField, "key"},
		{"body above 64 KiB", jsonKind, `{"text":"` + big + `"}`, nil, 413, protocol.TooLong, ""},
		{"form without text", formKind, ``, nil, 400, protocol.BadField, "text"},
		{"form with an unknown field", formKind, `text=hi&colour=red`, nil, 400, protocol.BadField, "colour"},
		{"form that is not UTF-8", formKind, `text=%ff%fe`, nil, 400, protocol.BadField, "text"},
		{"form with a text too long", formKind, `text=` + tooLongText, nil, 413, protocol.TooLong, "text"},
		{"form above 64 KiB", formKind, `text=` + big, nil, 413, protocol.TooLong, ""},
		{"plain text, empty", "text/plain", ``, nil, 400, protocol.BadField, "text"},
		{"plain text, not UTF-8", "text/plain", badUTF8, nil, 400, protocol.BadFrame, ""},
		{"plain text, too long", "text/plain; charset=utf-8", tooLongText, nil, 413, protocol.TooLong, "text"},
		{"without content type", "", `hi`, nil, 415, protocol.BadField, "Content-Type"},
		{"XML", "application/xml", `<text>hi</text>`, nil, 415, protocol.BadField, "Content-Type"},
		{"invalid content type", "json", `{"text":"hi"}`, nil, 415, protocol.BadField, "Content-Type"},
		{"multipart form", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nhi\r\n--x--\r\n", nil, 415, protocol.BadField, "Content-Type"},
		{"compressed", jsonKind, `{"text":"hi"}`, []string{"Content-Encoding: gzip"}, 415, protocol.BadField, "Content-Encoding"},
		{"compressed, in a second header", jsonKind, `{"text":"hi"}`, []string{"Content-Encoding: identity", "Content-Encoding: gzip"}, 415, protocol.BadField, "Content-Encoding"},
		{"other origin", jsonKind, `{"text":"hi"}`, []string{"Origin: https://evil.example"}, 403, protocol.NotAllowed, "origin"},
		{"origin null", formKind, `text=hi`, []string{"Origin: null"}, 403, protocol.NotAllowed, "origin"},
		{"other origin, forged host", jsonKind, `{"text":"hi"}`, []string{"Origin: https://evil.example", "X-Forwarded-Host: evil.example"}, 403, protocol.NotAllowed, "origin"},
	}
	for _, test := range tests {
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
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	for _, room := range invalidRooms {
		got := there.postJSON("/r/"+room+"/messages", `{"text":"hi"}`, bob.bearer())
		got.expectRefusal(t, 400, protocol.BadRoom, "room")
	}
	expectUnchanged(t, here, before)
}

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
		{"not JSON", jsonKind, `Ada`, nil, 400, protocol.BadFrame, ""},
		{"without name", jsonKind, `{}`, nil, 400, protocol.BadField, "name"},
		{"empty name", jsonKind, `{"name":""}`, nil, 400, protocol.BadField, "name"},
		{"name of white space", jsonKind, `{"name":"   "}`, nil, 400, protocol.BadField, "name"},
		{"name is null", jsonKind, `{"name":null}`, nil, 400, protocol.BadField, "name"},
		{"name is an array", jsonKind, `{"name":["Ada"]}`, nil, 400, protocol.BadField, "name"},
		{"name too long", jsonKind, `{"name":"` + strings.Repeat("a", 41) + `"}`, nil, 400, protocol.BadField, "name"},
		{"name with a bidirectional control", jsonKind, `{"name":"Ada\u202e"}`, nil, 400, protocol.BadField, "name"},
		{"name with a line break", jsonKind, `{"name":"Ada\nBob"}`, nil, 400, protocol.BadField, "name"},
		{"invisible name", jsonKind, `{"name":"\u200b"}`, nil, 400, protocol.BadField, "name"},
		{"name that is not UTF-8", formKind, `name=%ff`, nil, 400, protocol.BadField, "name"},
		{"ID chosen by the client", jsonKind, `{"name":"Ada","id":"` + aKey + `"}`, nil, 400, protocol.BadField, "id"},
		{"plain text", "text/plain", `Ada`, nil, 415, protocol.BadField, "Content-Type"},
		{"compressed", jsonKind, `{"name":"Ada"}`, []string{"Content-Encoding: br"}, 415, protocol.BadField, "Content-Encoding"},
		{"body above 64 KiB", jsonKind, `{"name":"` + strings.Repeat("a", protocol.MaxFrame) + `"}`, nil, 413, protocol.TooLong, ""},
		{"other origin", jsonKind, `{"name":"Ada"}`, []string{"Origin: https://evil.example"}, 403, protocol.NotAllowed, "origin"},
		{"invalid token", jsonKind, `{"name":"Ada"}`, []string{"Authorization: Bearer x"}, 403, protocol.NotAllowed, "authorization"},
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
