package chaos

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// inLines is a live read of newline-delimited JSON; inEvents one of server-sent events.
func inLines(ctx context.Context, addr, token string, wishes []wish, hear func(*frame) error) error {
	at := ""
	return getEvents(ctx, addr, token, wishes[0], "application/x-ndjson", func(line string) error {
		var kind struct{ Type string }
		if line == "" {
			return nil
		}
		if err := json.Unmarshal([]byte(line), &kind); err != nil {
			return err
		}
		return hearLine(wishes[0].room, kind.Type, "", line, &at, hear)
	})
}

func inEvents(ctx context.Context, addr, token string, wishes []wish, hear func(*frame) error) error {
	at, kind, id := "", "", ""
	return getEvents(ctx, addr, token, wishes[0], "text/event-stream", func(line string) error {
		field, value, _ := strings.Cut(line, ": ")
		switch field {
		case "event":
			kind = value
		case "id":
			id = value
		case "data":
			return hearLine(wishes[0].room, kind, id, value, &at, hear)
		}
		return nil
	})
}

// hearLine makes a frame of an event. Each entry is a stretch of its own.
func hearLine(room, kind, id, data string, at *string, hear func(*frame) error) error {
	f := &frame{}
	if kind == "followed" || kind == "status" {
		if err := json.Unmarshal([]byte(data), f); err != nil {
			return err
		}
		if kind == "followed" {
			*at = f.At
		}
		return hear(f)
	}
	var one said
	if err := json.Unmarshal([]byte(data), &one); err != nil {
		return err
	}
	if id == "" {
		id = one.Cursor
	}
	one.Cursor = ""
	f = &frame{Type: "entries", Room: room, After: *at, Upto: id, Entries: []said{one}}
	*at = id
	return hear(f)
}

func getEvents(ctx context.Context, addr, token string, w wish, accept string, take func(line string) error) error {
	url := fmt.Sprintf("http://%s/r/%s/events", addr, w.room)
	if w.fresh {
		url += fmt.Sprintf("?last=%d", w.last)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", accept)
	request.Header.Set("Authorization", "Bearer "+token)
	if !w.fresh {
		request.Header.Set("Last-Event-ID", w.after.String())
	}
	quiet := time.AfterFunc(silence, cancel)
	defer quiet.Stop()
	answer, err := web.RoundTrip(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	lines := bufio.NewReader(answer.Body)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return err // what was cut within a line is not heard: it comes again
		}
		quiet.Reset(silence)
		if err := take(strings.TrimSuffix(line, "\n")); err != nil {
			return err
		}
	}
}

// web makes a connection for each request: what answered the last one may be dead.
var web = &http.Transport{
	DisableKeepAlives: true, DisableCompression: true,
	DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, ResponseHeaderTimeout: answerLimit,
}

// request asks once and returns status 0 when there was no whole answer.
func request(ctx context.Context, method, url, token, body string, headers ...string) (status int, text []byte) {
	asked, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	if token != "" {
		asked.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		asked.Header.Set(headers[i], headers[i+1])
	}
	answer, err := web.RoundTrip(asked)
	if err != nil {
		return 0, nil
	}
	defer answer.Body.Close()
	if text, err = io.ReadAll(answer.Body); err != nil {
		return 0, nil
	}
	return answer.StatusCode, text
}
