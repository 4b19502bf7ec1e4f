package web

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"burble/app/client"

	fasthttpws "github.com/fasthttp/websocket"
)

func TestHelloContainsTheUserAndTheTime(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada := s.signIn("Ada \"the first\" Lovelace")
	user := fmt.Sprintf(`{"id":%q,"name":%q}`, ada.ID, ada.Name)
	for _, test := range []struct {
		name, user string
		headers    []string
	}{
		{"no credentials", "null", nil},
		{"token", user, []string{ada.bearer()}},
		{"token, scheme in lower case", user, []string{"Authorization: bearer " + ada.Token}},
		{"cookie, from this origin", user, []string{"Cookie: burble=" + ada.Token, "Origin: http://" + s.host}},
		{"invalid cookie", "null", []string{"Cookie: burble=1.forged", "Origin: http://" + s.host}},
	} {
		earliest := time.Now().UnixMilli()
		c, _ := s.dial(test.headers...)
		want := `{"type":"hello","protocol":"burble.v1","user":` + test.user + `,"durability":"memory","limits":{"text":4000},"time":`
		hello := awaitText[*client.Hello](c)
		text, found := strings.CutPrefix(hello, want)
		if at, err := strconv.ParseInt(strings.TrimSuffix(text, "}"), 10, 64); !found || err != nil || at < earliest || at > time.Now().UnixMilli() {
			t.Errorf("%s: hello is %s, want %s and then a time of at least %d", test.name, hello, want, earliest)
		}
	}
}

// The test dials with an independent implementation of RFC 6455, not with package client.
func TestSocketNegotiatesOnlyTheSubprotocol(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	for _, test := range []struct {
		name    string
		offered []string
		want    string
	}{
		{"burble.v1", []string{"burble.v1"}, "burble.v1"},
		{"burble.v1 and another", []string{"burble.v2", "burble.v1"}, "burble.v1"},
		{"none", nil, ""},
		{"another", []string{"mqtt"}, ""},
	} {
		dialer := fasthttpws.Dialer{Subprotocols: test.offered, EnableCompression: true}
		conn, response, err := dialer.Dial("ws://"+s.host+"/ws", nil)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if conn.Subprotocol() != test.want {
			t.Errorf("%s: got %q, want %q", test.name, conn.Subprotocol(), test.want)
		}
		if extensions := response.Header.Get("Sec-WebSocket-Extensions"); extensions != "" {
			t.Errorf("%s: the server negotiated %s, so the size of decompressed input would be unbounded", test.name, extensions)
		}
		conn.Close()
	}
}
