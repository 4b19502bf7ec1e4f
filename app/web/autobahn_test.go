package web

import (
	"bufio"
	"burble/app/ws"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The autobahn files hold the cases of the Autobahn|Testsuite for WebSocket servers
// that concern Burble, under their numbers there, against its real socket. What the
// suite has a server send back, Burble names: the answer to a frame of an unknown type
// has the type in it.

// The first byte of a frame, RFC 6455 section 5.2; the opcodes beside these are the
// server's own.
const (
	fin    = 0x80
	opMore = 0 // a continuation
)

// autobahnCase is what a client writes, and all that it is answered, up to the end.
type autobahnCase struct {
	name   string
	writes []byte
	want   string // answers, as rawSocket.answers has them, separated by " | "
}

// playCases plays each case on a connection of its own.
func playCases(t *testing.T, cases []autobahnCase) {
	t.Helper()
	s := startOne(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			socket := s.raw(t)
			socket.write(c.writes)
			if got := strings.Join(socket.answers(), " | "); got != c.want {
				t.Errorf("answered %.300q, want %.300q", got, c.want)
			}
		})
	}
}

// rawSocket is a WebSocket of which a test writes and reads every byte.
type rawSocket struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

// raw opens a socket as nobody, and reads its hello.
func (s *testServer) raw(t *testing.T, headers ...string) *rawSocket {
	t.Helper()
	conn, err := net.Dial("tcp", s.host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	lines := append([]string{
		"GET /ws HTTP/1.1", "Host: " + s.host, "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	}, headers...)
	fmt.Fprintf(conn, "%s\r\n\r\n", strings.Join(lines, "\r\n"))
	socket := &rawSocket{t, conn, bufio.NewReader(conn)}
	response, err := http.ReadResponse(socket.in, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade: %+v, %v", response, err)
	}
	if opcode, payload, err := socket.frame(); opcode != ws.OpText || !strings.Contains(string(payload), `"hello"`) {
		t.Fatalf("hello: %d %s, %v", opcode, payload, err)
	}
	return socket
}

// write writes bytes as they are. The server may have hung up already.
func (r *rawSocket) write(data []byte) { r.conn.Write(data) }

// frame is the server's next frame, which is whole and not masked.
func (r *rawSocket) frame() (opcode byte, payload []byte, err error) {
	r.t.Helper()
	var head [2]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil {
		return 0, nil, err
	}
	if head[0]&0xf0 != fin || head[1] > 127 {
		r.t.Fatalf("the server's frame begins with %x", head)
	}
	length := uint64(head[1])
	switch length {
	case 126:
		var long uint16
		err = binary.Read(r.in, binary.BigEndian, &long)
		length = uint64(long)
	case 127:
		err = binary.Read(r.in, binary.BigEndian, &length)
	}
	if err != nil {
		return 0, nil, err
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(r.in, payload)
	return head[0] & 0xf, payload, err
}

// answers closes the connection as a client should, unless the server has done so, and
// is all that was said until then: "echo …", "pong …", "error <code>" and "close <code>".
func (r *rawSocket) answers() (answers []string) {
	r.t.Helper()
	r.write(closing(1000, ""))
	for {
		opcode, payload, err := r.frame()
		said := len(answers) > 0 && strings.HasPrefix(answers[len(answers)-1], "close")
		switch {
		case errors.Is(err, io.EOF), err != nil && said: // reset, if more was written to it
			return answers
		case err != nil:
			return append(answers, "broken off")
		case said:
			r.t.Fatalf("after the close frame came %x %s", opcode, payload)
		}
		answers = append(answers, named(r.t, opcode, payload))
		if opcode == ws.OpClose {
			r.conn.(*net.TCPConn).CloseWrite()
		}
	}
}

// named is a frame of the server's in words.
func named(t *testing.T, opcode byte, payload []byte) string {
	t.Helper()
	switch opcode {
	case ws.OpPong:
		return fmt.Sprintf("pong %s", payload)
	case ws.OpClose:
		return fmt.Sprintf("close %d", binary.BigEndian.Uint16(payload))
	}
	var told struct{ Type, Code, Message string }
	if err := json.Unmarshal(payload, &told); err != nil || opcode != ws.OpText {
		t.Fatalf("%d %s: %v", opcode, payload, err)
	}
	quoted, found := strings.CutPrefix(strings.TrimSuffix(told.Message, "."), "There is no frame of type ")
	if !found {
		return strings.TrimSpace(told.Type + " " + told.Code)
	}
	text, err := strconv.Unquote(quoted)
	if err != nil {
		t.Fatalf("%s: %v", payload, err)
	}
	return "echo " + text
}

// echoing is a message that is answered with "echo " and the text, of at most 40 characters.
func echoing(text string) string { return `{"type":"` + text + `"}` }

// sized is a message of so many bytes that is answered with "echo end". What it says
// stands at its very end.
func sized(size int) string { return fmt.Sprintf("%*s", size, echoing("end")) }

// text is a text message in one frame.
func text(message string) []byte { return rawFrame(fin|ws.OpText, []byte(message)) }

// ping and pong are control frames.
func ping(payload string) []byte { return rawFrame(fin|ws.OpPing, []byte(payload)) }

// closing is a close frame.
func closing(code int, reason string) []byte {
	return rawFrame(fin|ws.OpClose, append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...))
}

// joined is several frames.
func joined(frames ...[]byte) []byte { return bytes.Join(frames, nil) }

// fragments is a message in as many frames as there are parts, the last of which ends it.
func fragments(opcode byte, parts ...string) []byte {
	var frames []byte
	for i, part := range parts {
		first := byte(opMore)
		if i == 0 {
			first = opcode
		}
		if i == len(parts)-1 {
			first |= fin
		}
		frames = append(frames, rawFrame(first, []byte(part))...)
	}
	return frames
}
