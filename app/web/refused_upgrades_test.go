package web

import (
	"net/http"
	"testing"

	"burble/app/protocol"
)

// upgrade is the header of a request for a WebSocket (RFC 6455 section 4.1).
var upgrade = []string{
	"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
}

func TestRefusedUpgrades(t *testing.T) {
	t.Parallel()
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
		{"other origin", []string{"Origin: https://evil.example"}, 403, protocol.NotAllowed, "origin"},
		{"other origin with a cookie", []string{"Origin: https://evil.example", cookie}, 403, protocol.NotAllowed, "origin"},
		{"other origin with a token", []string{"Origin: https://evil.example", ada.bearer()}, 403, protocol.NotAllowed, "origin"},
		{"origin null", []string{"Origin: null", cookie}, 403, protocol.NotAllowed, "origin"},
		{"other port", []string{"Origin: http://127.0.0.1:1", cookie}, 403, protocol.NotAllowed, "origin"},
		{"other origin, forged host", []string{"Origin: https://evil.example", "X-Forwarded-Host: evil.example"}, 403, protocol.NotAllowed, "origin"},
		{"cookie without origin", []string{cookie}, 403, protocol.NotAllowed, "origin"},
		{"invalid token", []string{"Authorization: Bearer 1.2.3.4.5"}, 403, protocol.NotAllowed, "authorization"},
	}
	for _, test := range tests {
		c, refused := s.dial(test.headers...)
		if c != nil {
			t.Errorf("%s: accepted, want status %d", test.name, test.status)
			continue
		}
		if refused.Status != test.status || refused.Code != string(test.code) || refused.Field != test.field || refused.Header.Get("Upgrade") != "" {
			t.Errorf("%s: %+v, want %d, code %s, field %q", test.name, refused, test.status, test.code, test.field)
		}
		for _, path := range []string{"/WS", "/ws/"} { // another spelling of the path must not bypass the check
			c, refused := s.dialPath(path, test.headers...)
			if c != nil || refused.Status != test.status && refused.Status != http.StatusNotFound {
				t.Errorf("%s at %s: got %v, want %d or 404", test.name, path, refused, test.status)
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
		s.get("/ws?"+test.query, upgrade...).expectRefusal(t, 400, test.code, test.field)
	}
	s.get("/ws").expectRefusal(t, 426, protocol.BadFrame, "")
	s.get("/ws", upgrade[0], upgrade[1], "Sec-WebSocket-Version: 12", upgrade[3]).expectRefusal(t, 426, protocol.BadFrame, "")
	s.get("/ws", upgrade[:3]...).expectRefusal(t, 426, protocol.BadFrame, "") // without a key
}
