package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Response is a complete HTTP response.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do makes a request and reads the whole response. Header fields have the form "Name: value" and
// replace those of the Server. Do returns an error if it could not read a whole response; a status
// such as 404 is not an error.
func (s *Server) Do(ctx context.Context, method, path, body string, header ...string) (*Response, error) {
	response, err := s.roundTrip(ctx, method, path, body, header)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	whole, err := readResponse(response)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return whole, nil
}

// roundTrip makes a request without following redirects.
func (s *Server) roundTrip(ctx context.Context, method, path, body string, header []string) (*http.Response, error) {
	request, err := s.request(ctx, method, path, body, header)
	if err != nil {
		return nil, err
	}
	return s.send(request)
}

// send sends a request without following redirects.
func (s *Server) send(request *http.Request) (*http.Response, error) {
	transport := s.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", request.Method, request.URL.RequestURI(), err)
	}
	return response, nil
}

func readResponse(response *http.Response) (*Response, error) {
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	return &Response{response.StatusCode, response.Header, body}, nil
}

// asError returns the error that the server reported in a response.
func (r *Response) asError() *Error {
	var body struct {
		Error Error `json:"error"`
	}
	if json.Unmarshal(r.Body, &body) != nil || body.Error.Code == "" {
		body.Error = Error{Message: fmt.Sprintf("%.200q", r.Body)}
	}
	body.Error.Status, body.Error.Header = r.Status, r.Header
	if seconds, err := strconv.Atoi(r.Header.Get("Retry-After")); err == nil && body.Error.RetryAfterMS == 0 {
		body.Error.RetryAfterMS = int64(seconds) * time.Second.Milliseconds()
	}
	return &body.Error
}

// call makes a request and decodes the JSON response. If the server refuses the request, call returns
// an *Error.
func (s *Server) call(ctx context.Context, method, path string, body, into any, header ...string) error {
	text := ""
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		text, header = string(encoded), append(header, "Content-Type: application/json")
	}
	response, err := s.Do(ctx, method, path, text, append(header, "Accept: application/json")...)
	if err != nil {
		return err
	}
	if response.Status < 200 || response.Status > 299 {
		return response.asError()
	}
	if err := json.Unmarshal(response.Body, into); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// SignIn creates a guest with the name and sets the Token of s. If the Token is already set, SignIn
// renames the user.
func (s *Server) SignIn(ctx context.Context, name string) (User, error) {
	var session struct {
		User  User   `json:"user"`
		Token string `json:"token"`
	}
	if err := s.call(ctx, http.MethodPost, "/session", map[string]string{"name": name}, &session); err != nil {
		return User{}, err
	}
	s.Token = session.Token
	return session.User, nil
}

// Post sends a message over HTTP. If it is sent again with the same key, even over a Socket, the server
// stores it only once.
func (s *Server) Post(ctx context.Context, m Message) (*Stored, error) {
	body := struct {
		Text    string       `json:"text"`
		ReplyTo string       `json:"reply_to,omitempty"`
		Files   []Attachment `json:"files,omitempty"`
	}{m.Text, m.ReplyTo, m.Files}
	stored := Stored{Room: m.Room}
	err := s.call(ctx, http.MethodPost, "/r/"+m.Room+"/messages", body, &stored, "Idempotency-Key: "+m.Key)
	if err != nil {
		return nil, err
	}
	return &stored, nil
}

// Upload uploads a file of size bytes to the room. The user can then send it there once, as an Attachment with
// the ID of the result. If the server refuses the file, Upload returns an *Error.
func (s *Server) Upload(ctx context.Context, room, name string, body io.Reader, size int64) (*File, error) {
	path := "/r/" + room + "/files?" + url.Values{"name": {name}}.Encode()
	request, err := s.request(ctx, http.MethodPost, path, "", []string{"Accept: application/json"})
	if err != nil {
		return nil, err
	}
	request.Body, request.ContentLength = io.NopCloser(body), size
	response, err := s.send(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	whole, err := readResponse(response)
	if err != nil {
		return nil, fmt.Errorf("upload %q: %w", name, err)
	}
	if whole.Status != http.StatusCreated {
		return nil, whole.asError()
	}
	file := new(File)
	if err := json.Unmarshal(whole.Body, file); err != nil {
		return nil, fmt.Errorf("upload %q: %w", name, err)
	}
	return file, nil
}

// History is a page of a room, oldest entry first, with amendments applied.
type History struct {
	Room    string  `json:"room"`
	AsOf    string  `json:"as_of"` // the cursor to follow from; amendments up to it are applied
	Entries []Entry `json:"entries"`
	Older   *string `json:"older"`   // the value of before for the page before this one; nil if there is none
	Newer   *string `json:"newer"`   // the value of after for the page after this one; nil if there is none
	Trimmed bool    `json:"trimmed"` // whether Older is nil because older messages were trimmed
}

// History reads a page of a room. The parameters are before, after, around, at, limit and html.
// Without any of the first four, History reads the newest page.
func (s *Server) History(ctx context.Context, room string, parameters url.Values) (*History, error) {
	path := "/r/" + room + "/messages"
	if len(parameters) > 0 {
		path += "?" + parameters.Encode()
	}
	page := new(History)
	if err := s.call(ctx, http.MethodGet, path, nil, page); err != nil {
		return nil, err
	}
	return page, nil
}

// Room is one room in the list that Rooms returns.
type Room struct {
	Room     string `json:"room"`
	Title    string `json:"title"`
	Last     string `json:"last"` // ID of the last entry
	Unread   int    `json:"unread"`
	Mentions int    `json:"mentions"` // how many of the unread messages mention the user
	Present  int    `json:"present"`
	Read     string `json:"read"` // ID of the last entry that the user has read
}

// Rooms returns the 100 most recently active rooms.
func (s *Server) Rooms(ctx context.Context) (rooms []Room, err error) {
	err = s.call(ctx, http.MethodGet, "/rooms", nil, &rooms)
	return rooms, err
}
