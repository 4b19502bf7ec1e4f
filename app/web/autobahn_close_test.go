package web

import (
	"burble/app/ws"
	"fmt"
	"strings"
	"testing"
)

// Cases 7: closing. A client that closes is answered with its own code.
func TestAutobahnClosing(t *testing.T) {
	hello, more := text(echoing("hello")), rawFrame(fin|opMore, []byte(`"}`))
	longest := strings.Repeat("*", 123)
	cases := []autobahnCase{
		{"7.1.1 a message and a close", hello, "echo hello | close 1000"},
		{"7.1.2 two closes", joined(closing(1000, ""), closing(1000, "")), "close 1000"},
		{"7.1.3 a ping after the close", joined(closing(1000, ""), ping("late")), "close 1000"},
		{"7.1.4 a message after the close", joined(closing(1000, ""), hello), "close 1000"},
		{"7.1.5 a close within a message, then its end", joined(rawFrame(ws.OpText, []byte(`{"type":"`)), closing(1000, ""), more), "close 1000"},
		{"7.1.6 a large message, a close and a ping", joined(text(sized(65536)), hello, closing(1000, ""), ping("late")), "echo end | echo hello | close 1000"},
		{"7.3.1 no payload", rawFrame(fin|ws.OpClose, nil), "close 1000"},
		{"7.3.2 a payload of one byte", rawFrame(fin|ws.OpClose, []byte("a")), "close 1002"},
		{"7.3.3 a code alone", closing(1000, ""), "close 1000"},
		{"7.3.4 a code and a reason", closing(1000, "Hello, world!"), "close 1000"},
		{"7.3.5 the longest reason", closing(1000, longest), "close 1000"},
		{"7.3.6 a reason too long", closing(1000, longest+"*"), "close 1002"},
	}
	for i, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		cases = append(cases, autobahnCase{fmt.Sprintf("7.7.%d code %d", i+1, code), closing(code, ""), fmt.Sprint("close ", code)})
	}
	for i, code := range []int{0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} { // the last two are 7.13
		cases = append(cases, autobahnCase{fmt.Sprintf("7.9.%d code %d", i+1, code), closing(code, ""), "close 1002"})
	}
	playCases(t, cases)
	t.Run("7.5.1 a reason that is not UTF-8", func(t *testing.T) {
		socket := startOne(t).raw(t)
		socket.write(closing(1000, "Hello-µ@ßöäüàá-UTF-8!!"+"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"))
		if got := strings.Join(socket.answers(), " | "); got != "close 1007" {
			t.Errorf("answered %s", got)
		}
	})
}
