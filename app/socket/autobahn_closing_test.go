package socket_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"burble/app/client"
	"burble/app/ws"
)

// Cases 7: closing. The server answers a close frame with the client's code.
func TestAutobahnClosing(t *testing.T) {
	t.Parallel()
	hello, rest := text(echoed("hello")), client.RawFrame(fin|opContinuation, []byte(`"}`))
	longest := strings.Repeat("*", 123)
	cases := []autobahnCase{
		{"7.1.1 message and close", hello, "echo hello | close 1000"},
		{"7.1.2 two closes", slices.Concat(closing(1000, ""), closing(1000, "")), "close 1000"},
		{"7.1.3 ping after close", slices.Concat(closing(1000, ""), ping("late")), "close 1000"},
		{"7.1.4 message after close", slices.Concat(closing(1000, ""), hello), "close 1000"},
		{"7.1.5 close within a message, then its end", slices.Concat(client.RawFrame(ws.OpText, []byte(`{"type":"`)), closing(1000, ""), rest), "close 1000"},
		{"7.1.6 large message, close and ping", slices.Concat(text(padded(65536)), hello, closing(1000, ""), ping("late")), "echo end | echo hello | close 1000"},
		{"7.3.1 no payload", client.RawFrame(fin|ws.OpClose, nil), "close 1000"},
		{"7.3.2 payload of one byte", client.RawFrame(fin|ws.OpClose, []byte("a")), "close 1002"},
		{"7.3.3 code without reason", closing(1000, ""), "close 1000"},
		{"7.3.4 code and reason", closing(1000, "Hello, world!"), "close 1000"},
		{"7.3.5 longest reason", closing(1000, longest), "close 1000"},
		{"7.3.6 reason too long", closing(1000, longest+"*"), "close 1002"},
		{"7.5.1 reason that is not UTF-8", closing(1000, "Hello-µ@ßöäüàá-UTF-8!!"+"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"), "close 1007"},
	}
	for i, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		cases = append(cases, autobahnCase{fmt.Sprintf("7.7.%d code %d", i+1, code), closing(code, ""), fmt.Sprint("close ", code)})
	}
	for i, code := range []int{0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} { // the last two are 7.13
		cases = append(cases, autobahnCase{fmt.Sprintf("7.9.%d code %d", i+1, code), closing(code, ""), "close 1002"})
	}
	runCases(t, cases)
}
