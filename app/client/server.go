package client

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// Protocol is the WebSocket subprotocol.
const Protocol = "burble.v1"

// handshakeTimeout is how long Dial may take, hello included.
const handshakeTimeout = 20 * time.Second

// A Server makes requests to one Burble server as one user.
type Server struct {
	URL    string   // such as http://localhost:8080, without a trailing slash
	Token  string   // from SignIn; a connection without one can only read
	Header []string // additional header fields of each request, as "Name: value"

	// DialContext makes the connections of Dial and Open; nil means a net.Dialer.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	// Transport carries HTTP requests; nil means http.DefaultTransport.
	Transport http.RoundTripper
}

// Dial opens a WebSocket and waits for the server's hello. It sends the first follow in the URL, which
// saves a round trip, and the others as frames. If the server refuses the connection, Dial returns
// *Error.
func (s *Server) Dial(ctx context.Context, follows ...Follow) (*Socket, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	path := "/ws"
	if len(follows) > 0 {
		path += "?" + follows[0].query().Encode()
		follows = follows[1:]
	}
	socket, err := s.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := socket.awaitHello(ctx, follows); err != nil {
		socket.Cut()
		return nil, err
	}
	return socket, nil
}

// awaitHello waits for hello, then sends the remaining follows.
func (s *Socket) awaitHello(ctx context.Context, follows []Follow) error {
	defer context.AfterFunc(ctx, s.Cut)()
	frame, err := s.Next()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("wait for hello: %w", err)
	}
	hello, ok := frame.(*Hello)
	if !ok || hello.Protocol != Protocol {
		return fmt.Errorf("want hello of %s, got %#v", Protocol, frame)
	}
	s.Hello = *hello
	for _, follow := range follows {
		if err := s.Send(follow); err != nil {
			return err
		}
	}
	return nil
}

// Open opens a WebSocket at path, which may contain a query. Unlike Dial, it does not wait for hello.
// Header fields have the form "Name: value" and replace those of the Server. If the server refuses the
// connection, Open returns an *Error.
func (s *Server) Open(ctx context.Context, path string, header ...string) (*Socket, error) {
	challenge := make([]byte, 16)
	rand.Read(challenge) // never fails
	key := base64.StdEncoding.EncodeToString(challenge)
	request, err := s.request(ctx, http.MethodGet, path, "", []string{
		"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
		"Sec-WebSocket-Key: " + key, "Sec-WebSocket-Protocol: " + Protocol,
	}, header)
	if err != nil {
		return nil, err
	}
	conn, err := s.dial(ctx, request.URL.Host)
	if err != nil {
		return nil, err
	}
	cut := context.AfterFunc(ctx, func() { conn.Close() })
	socket, err := handshake(conn, request, key)
	if !cut() { // ctx ended and closed the connection
		return nil, ctx.Err()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return socket, nil
}

func (s *Server) dial(ctx context.Context, addr string) (net.Conn, error) {
	if s.DialContext != nil {
		return s.DialContext(ctx, "tcp", addr)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", addr)
}

// handshake performs the opening handshake (RFC 6455 section 4.1).
func handshake(conn net.Conn, request *http.Request, key string) (*Socket, error) {
	if err := request.Write(conn); err != nil {
		return nil, fmt.Errorf("upgrade: %w", err)
	}
	reader := bufio.NewReaderSize(conn, 2<<10)
	response, err := http.ReadResponse(reader, request)
	if err != nil {
		return nil, fmt.Errorf("upgrade: %w", err)
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		defer response.Body.Close()
		answer, err := readResponse(response)
		if err != nil {
			return nil, fmt.Errorf("upgrade: %w", err)
		}
		return nil, answer.asError()
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	if got := response.Header.Get("Sec-WebSocket-Accept"); got != base64.StdEncoding.EncodeToString(sum[:]) {
		return nil, fmt.Errorf("upgrade: Sec-WebSocket-Accept is %q", got)
	}
	return &Socket{Timeout: 60 * time.Second, Header: response.Header, conn: conn, reader: reader}, nil
}

// request returns a request with the Server's token and header fields. Fields in later headers replace
// those in earlier ones.
func (s *Server) request(ctx context.Context, method, path, body string, headers ...[]string) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.URL+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if s.Token != "" {
		request.Header.Set("Authorization", "Bearer "+s.Token)
	}
	setFields(request.Header, s.Header)
	for _, header := range headers {
		setFields(request.Header, header)
	}
	if host := request.Header.Get("Host"); host != "" {
		request.Host = host
	}
	return request, nil
}

// setFields replaces fields of a header. A field that occurs twice in lines is sent twice.
func setFields(header http.Header, lines []string) {
	for _, line := range lines {
		name, _, _ := strings.Cut(line, ": ")
		header.Del(name)
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		header.Add(name, value)
	}
}
