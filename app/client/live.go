package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The formats of a live read over HTTP.
const (
	SSE    = "text/event-stream"    // server-sent events
	NDJSON = "application/x-ndjson" // a JSON object on each line
	Plain  = "text/plain"           // lines for people to read
)

// Stream is a live read over HTTP. The caller must close it. Only one goroutine may read.
type Stream struct {
	Header http.Header
	Retry  time.Duration // how long the server asked to wait before the next connection (server-sent events only)

	format, room string
	cursor       string // up to which the room was read
	body         io.ReadCloser
	lines        *bufio.Reader
	silenceTimer *time.Timer // closes the connection after a time of silence
	timeout      time.Duration
}

// Event is one server-sent event.
type Event struct{ ID, Type, Data string }

// Live reads a room over HTTP until ctx ends, the Stream is closed, or the server is silent for 60 s.
// (A server sends a heartbeat every 20 s.) The follow's HTML, Watch and Deflate have no effect. If the
// server refuses the request, Live returns an *Error. But if it refuses server-sent events for a temporary
// reason, or is shutting down, the Stream ends at once.
func (s *Server) Live(ctx context.Context, follow Follow, format string) (*Stream, error) {
	path, header := "/r/"+follow.Room+"/events", []string{"Accept: " + format}
	if follow.After != "" {
		header = append(header, "Last-Event-ID: "+follow.After)
	} else {
		path += "?last=" + strconv.Itoa(follow.Last)
	}
	stream, err := s.OpenStream(ctx, path, header...)
	if err != nil {
		return nil, err
	}
	stream.format, stream.room = format, follow.Room
	return stream, nil
}

// OpenStream makes a GET request and returns its response as it arrives, for Line or Event to read. If
// the status is not 200, OpenStream returns an *Error.
func (s *Server) OpenStream(ctx context.Context, path string, header ...string) (*Stream, error) {
	const silence = 60 * time.Second
	ctx, cancel := context.WithCancel(ctx)
	quiet := time.AfterFunc(silence, cancel)
	response, err := s.roundTrip(ctx, http.MethodGet, path, "", header)
	if err != nil {
		quiet.Stop()
		cancel()
		return nil, err
	}
	body := &cancelingBody{response.Body, func() { quiet.Stop(); cancel() }}
	if response.StatusCode != http.StatusOK {
		defer body.Close()
		whole, err := readResponse(response)
		if err != nil {
			return nil, fmt.Errorf("GET %s: %w", path, err)
		}
		return nil, whole.asError()
	}
	return &Stream{Header: response.Header, body: body, lines: bufio.NewReader(body), silenceTimer: quiet, timeout: silence}, nil
}

// cancelingBody is a response body whose Close also cancels the request.
type cancelingBody struct {
	io.ReadCloser
	cancel func()
}

func (c *cancelingBody) Close() error {
	c.cancel()
	return c.ReadCloser.Close()
}

// Close ends the read. A blocked Next then returns an error.
func (s *Stream) Close() error { return s.body.Close() }

// Line returns the next line, without the newline. At the end of the response it returns io.EOF and
// drops an incomplete line.
func (s *Stream) Line() (string, error) {
	line, err := s.lines.ReadString('\n')
	if err != nil {
		return "", err
	}
	s.silenceTimer.Reset(s.timeout)
	return strings.TrimSuffix(line, "\n"), nil
}

// Event returns the next server-sent event. It skips comments.
func (s *Stream) Event() (event Event, err error) {
	for {
		line, err := s.Line()
		if err != nil {
			return Event{}, err
		}
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case name == "id":
			event.ID = value
		case name == "event":
			event.Type = value
		case name == "data":
			event.Data = value
		case name == "retry":
			if milliseconds, err := strconv.Atoi(value); err == nil {
				s.Retry = time.Duration(milliseconds) * time.Millisecond
			}
		case line == "" && event != (Event{}):
			return event, nil
		}
	}
}

// Next returns the next frame of a live read as SSE or NDJSON: *Followed, *Status, *Error, or
// *Entries with a single entry, whose After is the cursor of the entry before it.
func (s *Stream) Next() (Frame, error) {
	event, err := s.next()
	if err != nil {
		return nil, err
	}
	if event.Type != "entry" {
		frame, err := decode(event.Type, []byte(event.Data))
		if followed, ok := frame.(*Followed); ok {
			s.cursor = followed.At
		}
		return frame, err
	}
	var entry Entry
	if err := json.Unmarshal([]byte(event.Data), &entry); err != nil {
		return nil, fmt.Errorf("decode entry: %w", err)
	}
	if event.ID != "" {
		entry.Cursor = event.ID
	}
	batch := &Entries{Room: s.room, After: s.cursor, Upto: entry.Cursor, Entries: []Entry{entry}}
	s.cursor = entry.Cursor
	return batch, nil
}

// next returns the next event. It converts a line of NDJSON to an event.
func (s *Stream) next() (Event, error) {
	if s.format == SSE {
		return s.Event()
	}
	for {
		line, err := s.Line()
		if err != nil {
			return Event{}, err
		}
		var head struct {
			Type string `json:"type"`
		}
		switch {
		case line == "":
			continue // a heartbeat
		case json.Unmarshal([]byte(line), &head) != nil:
			return Event{}, fmt.Errorf("decode line %.200q", line)
		case head.Type == "":
			head.Type = "entry"
		}
		return Event{Type: head.Type, Data: line}, nil
	}
}
