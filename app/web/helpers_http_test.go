package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"burble/app/client"
	"burble/app/protocol"
)

// response is a complete HTTP response.
type response struct {
	status int
	header http.Header
	body   string
}

// request makes a request and reads the whole response. Headers have the form "Name: value"; the
// first "Host" becomes the request's Host.
func (s *testServer) request(method, path, body string, headers ...string) response {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	server := *s.client
	if len(body) > protocol.MaxFrame || len(headers) > 0 && len(headers[0]) > protocol.MaxFrame/4 {
		server.Transport = wholeRequests{}
	}
	got, err := server.Do(ctx, method, path, body, headers...)
	if err != nil {
		s.t.Fatal(err)
	}
	return response{got.Status, got.Header, string(got.Body)}
}

// wholeRequests is a transport that sends a request in one write. If a request is too large, the
// server closes the connection, and http.Transport may miss the response while it is still writing.
type wholeRequests struct{}

// RoundTrip implements http.RoundTripper.
func (wholeRequests) RoundTrip(request *http.Request) (*http.Response, error) {
	conn, err := net.Dial("tcp", request.URL.Host)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(request.Context(), func() { conn.Close() })
	var whole bytes.Buffer
	if err := request.Write(&whole); err != nil {
		return nil, err
	}
	if _, err := conn.Write(whole.Bytes()); err != nil {
		return nil, err
	}
	return http.ReadResponse(bufio.NewReader(conn), request)
}

func (s *testServer) get(path string, headers ...string) response {
	s.t.Helper()
	return s.request("GET", path, "", headers...)
}

func (s *testServer) postJSON(path, body string, headers ...string) response {
	s.t.Helper()
	return s.request("POST", path, body, append(headers, "Content-Type: application/json")...)
}

func (s *testServer) postForm(path, body string, headers ...string) response {
	s.t.Helper()
	return s.request("POST", path, body, append(headers, "Content-Type: application/x-www-form-urlencoded")...)
}

// decode decodes the response's JSON.
func (r response) decode(t testing.TB, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), into); err != nil {
		t.Fatalf("decode the body %q, status %d: %v", r.body, r.status, err)
	}
}

// expectRefusal checks the status, code and field of a refused request.
func (r response) expectRefusal(t testing.TB, status int, code protocol.Code, field string) {
	t.Helper()
	var got errorBody
	r.decode(t, &got)
	if r.status != status || got.Error.Code != string(code) || got.Error.Field != field || got.Error.Message == "" {
		t.Errorf("got %d %s, want %d, code %s, field %q", r.status, r.body, status, code, field)
	}
}

// errorBody is the JSON of a refused request.
type errorBody struct{ Error client.Error }

// testUser is a user who has signed in.
type testUser struct {
	client.User `json:"user"`
	Token       string
}

// anonymous is a visitor without a name, who may only read.
var anonymous testUser

// bearer returns the header that identifies the user.
func (u testUser) bearer() string { return "Authorization: Bearer " + u.Token }

// signIn creates a user the way a program does.
func (s *testServer) signIn(name string) testUser {
	s.t.Helper()
	got := s.postJSON("/session", fmt.Sprintf(`{"name":%q}`, name))
	if got.status != http.StatusOK {
		s.t.Fatalf("sign in: status %d, want 200: %s", got.status, got.body)
	}
	var user testUser
	got.decode(s.t, &user)
	return user
}

// post stores a message over HTTP.
func (s *testServer) post(user testUser, room, text string) posted {
	s.t.Helper()
	got := s.postJSON("/r/"+room+"/messages", `{"text":`+quote(text)+`}`, user.bearer())
	if got.status != http.StatusCreated {
		s.t.Fatalf("post: status %d, want 201: %s", got.status, got.body)
	}
	var stored posted
	got.decode(s.t, &stored)
	return stored
}

// quote returns the text as a JSON string.
func quote(text string) string {
	quoted, _ := json.Marshal(text)
	return string(quoted)
}

// history returns a page of a room. The query begins with "?" or is empty.
func (s *testServer) history(room, query string) client.History {
	s.t.Helper()
	got := s.get("/r/" + room + "/messages" + query)
	if got.status != http.StatusOK {
		s.t.Fatalf("history%s: status %d, want 200: %s", query, got.status, got.body)
	}
	var page client.History
	got.decode(s.t, &page)
	return page
}

// expectUnchanged checks that nothing has been stored in the lobby since the test read its history, before.
func expectUnchanged(t *testing.T, s *testServer, before client.History) {
	t.Helper()
	if after := s.history("lobby", ""); after.AsOf != before.AsOf {
		t.Errorf("something was stored: the room's cursor changed from %s to %s", before.AsOf, after.AsOf)
	}
}

// ids returns the entries' IDs, in order.
func ids(entries []client.Entry) []string {
	all := make([]string, len(entries))
	for i := range entries {
		all[i] = entries[i].ID
	}
	return all
}

// texts returns the entries' texts, in order.
func texts(entries []client.Entry) []string {
	all := make([]string, len(entries))
	for i := range entries {
		all[i] = entries[i].Text
	}
	return all
}

// testStream is a live read over HTTP.
type testStream struct {
	*client.Stream
	t testing.TB
}

// openStream starts a live read, which ends with the test.
func (s *testServer) openStream(path string, headers ...string) *testStream {
	s.t.Helper()
	stream, err := s.client.OpenStream(s.t.Context(), path, headers...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { stream.Close() })
	return &testStream{stream, s.t}
}

// line returns the next line.
func (s *testStream) line() string {
	s.t.Helper()
	line, err := s.Line()
	if err != nil {
		s.t.Fatalf("the stream ended: %v", err)
	}
	return line
}

// event returns the next server-sent event. It skips comments.
func (s *testStream) event() client.Event {
	s.t.Helper()
	event, err := s.Event()
	if err != nil {
		s.t.Fatalf("the stream ended: %v", err)
	}
	return event
}

// entry returns the next server-sent event, which must be an entry with its cursor as the event ID.
func (s *testStream) entry() client.Entry {
	s.t.Helper()
	event := s.event()
	if event.Type != "entry" {
		s.t.Fatalf("want an entry, got %+v", event)
	}
	entry := decodeEntry(s.t, event.Data)
	if entry.Cursor = event.ID; !strings.HasPrefix(event.ID, entry.ID+"@") {
		s.t.Fatalf("the event's ID is not the entry's cursor: %+v", event)
	}
	return entry
}

// jsonLine returns the next line of NDJSON that is not a heartbeat: an entry, or followed.
func (s *testStream) jsonLine() client.Entry {
	s.t.Helper()
	for {
		if line := s.line(); line != "" {
			return decodeEntry(s.t, line)
		}
	}
}

func decodeEntry(t testing.TB, data string) client.Entry {
	t.Helper()
	var entry client.Entry
	if err := json.Unmarshal([]byte(data), &entry); err != nil {
		t.Fatalf("decode %s: %v", data, err)
	}
	return entry
}

// readN calls read count times.
func readN(count int, read func() client.Entry) []client.Entry {
	entries := make([]client.Entry, count)
	for i := range entries {
		entries[i] = read()
	}
	return entries
}

// Valid and invalid input.
const (
	validKey = "9b2f6c1e-3d4a-4f6b-8a7e-1c2d3e4f5a6b"
	badUTF8  = "\xff\xfe"

	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// invalidRooms are invalid room names, as they appear in a URL.
var invalidRooms = append([]string{"-a", "_a", "a.b", "a%2Fb", "a%0Ab", "a%00", "a%7Db", "..a", "{0}", strings.Repeat("a", 65)}, respelledRooms...)

// respelledRooms are invalid names that pages redirect to valid ones.
var respelledRooms = []string{"Lobby", "%4Cobby", "l%C3%B6bby", "a%20b"}

// tooLongHeader is a header field larger than the server's buffer for a request's header.
var tooLongHeader = "X-Long: " + strings.Repeat("x", 20000)

// tooLongText is one character longer than a message may be.
var tooLongText = strings.Repeat("é", protocol.MaxText+1)
