package client_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"burble/app/client"
)

func TestPostSendsKeyAndReturnsStored(t *testing.T) {
	t.Parallel()
	server := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != "POST" || r.URL.Path != "/r/lobby/messages" || r.Header.Get("Idempotency-Key") != "k" || string(body) != `{"text":"hi"}` {
			t.Errorf("got %s %s with key %q and body %s, want POST /r/lobby/messages with key k and text hi", r.Method, r.URL, r.Header.Get("Idempotency-Key"), body)
		}
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, `{"id":"2-0","cursor":"2-0@E","key":"k"}`)
	})
	stored, err := server.Post(t.Context(), client.Message{Room: "lobby", Key: "k", Text: "hi"})
	if err != nil || *stored != (client.Stored{Room: "lobby", ID: "2-0", Cursor: "2-0@E", Key: "k"}) {
		t.Errorf("Post = %+v, %v; want the ID, cursor and key in the response", stored, err)
	}
}

func TestUploadStreamsTheFile(t *testing.T) {
	t.Parallel()
	server := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != "POST" || r.URL.String() != "/r/lobby/files?name=a+%26b.txt" || r.ContentLength != 3 || string(body) != "abc" || len(r.TransferEncoding) > 0 {
			t.Errorf("got %s %s with %d bytes %q, want POST /r/lobby/files with the name and 3 bytes", r.Method, r.URL, r.ContentLength, body)
		}
		if r.Header.Get("Authorization") == "Bearer refused" {
			w.WriteHeader(http.StatusInsufficientStorage)
			io.WriteString(w, `{"error":{"code":"full","message":"no"}}`)
			return
		}
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, `{"id":"F","name":"a &b.txt","type":"text/plain","size":3}`)
	})
	file, err := server.Upload(t.Context(), "lobby", "a &b.txt", io.LimitReader(strings.NewReader("abcd"), 3), 3)
	if err != nil || *file != (client.File{ID: "F", Name: "a &b.txt", Type: "text/plain", Size: 3}) {
		t.Errorf("Upload = %+v, %v; want the file in the response", file, err)
	}
	server.Token = "refused"
	refused, ok := errors.AsType[*client.Error](errorOf(server.Upload(t.Context(), "lobby", "a &b.txt", strings.NewReader("abc"), 3)))
	if !ok || refused.Code != "full" || refused.Status != http.StatusInsufficientStorage {
		t.Errorf("a refused Upload returned %+v, want full", refused)
	}
}

func errorOf[T any](_ T, err error) error { return err }

func TestHistoryReadsAPage(t *testing.T) {
	t.Parallel()
	server := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.String() != "/r/lobby/messages?before=9-0&limit=1" || r.Header.Get("X-Test") != "yes" {
			t.Errorf("got GET %s with X-Test %q, want the query and the header", r.URL, r.Header.Get("X-Test"))
		}
		io.WriteString(w, `{"room":"lobby","as_of":"9-0@E","entries":[{"id":"8-0","n":8,"kind":"message","deleted":true}],"older":"8-0","newer":null}`)
	})
	server.Header = []string{"X-Test: yes"}
	page, err := server.History(t.Context(), "lobby", url.Values{"before": {"9-0"}, "limit": {"1"}})
	if err != nil || page.AsOf != "9-0@E" || !page.Entries[0].Deleted || *page.Older != "8-0" || page.Newer != nil {
		t.Errorf("History = %+v, %v; want the page in the response", page, err)
	}
}

func TestNextReturnsTheSameFramesForSSEAndNDJSON(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		client.SSE: "id: 1-0@E\nevent: followed\ndata: {\"type\":\"followed\",\"room\":\"lobby\",\"state\":\"resumed\",\"at\":\"1-0@E\"}\n\n:\n\n" +
			"event: status\ndata: {\"type\":\"status\",\"redis\":\"away\"}\n\n" +
			"id: 2-0@E\nevent: entry\ndata: {\"id\":\"2-0\",\"n\":2,\"text\":\"hi\"}\n\nid: 3-0@E\nevent: entry\ndata: {\"id\":\"3",
		client.NDJSON: "{\"type\":\"followed\",\"room\":\"lobby\",\"state\":\"resumed\",\"at\":\"1-0@E\"}\n\n{\"type\":\"status\",\"redis\":\"away\"}\n" +
			"{\"id\":\"2-0\",\"n\":2,\"text\":\"hi\",\"cursor\":\"2-0@E\"}\n{\"id\":\"3",
	}
	for format, body := range bodies {
		server := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.String() != "/r/lobby/events" || r.Header.Get("Last-Event-ID") != "1-0@E" || r.Header.Get("Accept") != format {
				t.Errorf("got GET %s with headers %v, want the cursor and Accept %s", r.URL, r.Header, format)
			}
			io.WriteString(w, body)
		})
		stream, err := server.Live(t.Context(), client.Follow{Room: "lobby", After: "1-0@E"}, format)
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		var frames []client.Frame
		frame, err := stream.Next()
		for ; err == nil; frame, err = stream.Next() {
			frames = append(frames, frame)
		}
		if err != io.EOF || len(frames) != 3 {
			t.Fatalf("%s: %d frames, then %v; want 3, then EOF", format, len(frames), err)
		}
		followed, status, batch := frames[0].(*client.Followed), frames[1].(*client.Status), frames[2].(*client.Entries)
		if followed.State != client.Resumed || status.Redis != "away" || batch.After != "1-0@E" || batch.Upto != "2-0@E" || batch.Room != "lobby" ||
			batch.Entries[0].Text != "hi" || batch.Entries[0].Cursor != "2-0@E" {
			t.Errorf("%s: got %+v, %+v, %+v; want followed, status and an entry", format, followed, status, batch)
		}
	}
}

func TestLiveReadReturnsRefusalAsError(t *testing.T) {
	t.Parallel()
	server := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"error":{"code":"bad_room","message":"That is not a valid room name."}}`)
	})
	_, err := server.Live(t.Context(), client.Follow{Room: "-"}, client.Plain)
	if refused, ok := errors.AsType[*client.Error](err); !ok || refused.Code != "bad_room" || refused.Status != http.StatusBadRequest {
		t.Errorf("error %v, want bad_room with status 400", err)
	}
}

func TestStreamReportsRetryDelay(t *testing.T) {
	t.Parallel()
	server := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, ": Too many connections.\nretry: 1500\n\n")
	})
	stream, err := server.Live(t.Context(), client.Follow{Room: "lobby"}, client.SSE)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if frame, err := stream.Next(); err != io.EOF || stream.Retry != 1500*time.Millisecond {
		t.Errorf("got %+v, %v, retry after %v; want the end and 1.5 s", frame, err, stream.Retry)
	}
}

func TestHeaderFieldsReplaceThoseOfTheServer(t *testing.T) {
	t.Parallel()
	server := serveHTTP(t, func(_ http.ResponseWriter, r *http.Request) {
		if got := r.Header.Values("X-Test"); !slices.Equal(got, []string{"1", "2"}) {
			t.Errorf("X-Test = %q, want both values", got)
		}
	})
	server.Header = []string{"X-Test: 0"}
	if _, err := server.Do(t.Context(), "GET", "/", "", "X-Test: 1", "X-Test: 2"); err != nil {
		t.Error(err)
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]*client.Error{
		`502 Bad Gateway: "<html>"`:          {Status: http.StatusBadGateway, Message: `"<html>"`},
		"599 from a proxy: no":               {Status: 599, Message: "no"},
		"400 bad_field in text: Too long.":   {Status: http.StatusBadRequest, Code: "bad_field", Field: "text", Message: "Too long."},
		"bad_field in text: Too long.":       {Code: "bad_field", Field: "text", Message: "Too long."},
		"unavailable: Redis does not reply.": {Code: "unavailable", Message: "Redis does not reply."},
	} {
		if got := err.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
