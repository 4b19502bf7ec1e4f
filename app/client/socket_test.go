package client_test

import (
	"bytes"
	"compress/zlib"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"burble/app/client"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

func TestDialSendsTokenAndFollows(t *testing.T) {
	t.Parallel()
	server := serve(t, func(f *fake) {
		if got := f.request.Header.Get("Authorization"); got != "Bearer 1.5d0f61a4.QWRh" {
			t.Errorf("Authorization = %q, want the token", got)
		}
		if got := f.request.URL.RawQuery; got != "after=17-0%40Q3N7&room=lobby" {
			t.Errorf("the query is %q, want the room and the cursor", got)
		}
		f.want(`{"type":"follow","room":"dev","last":0,"watch":true}`)
		f.write(`{"type":"pong"}`)
	})
	socket := dial(t, server, client.Follow{Room: "lobby", After: "17-0@Q3N7"}, client.Follow{Room: "dev", Watch: true})
	if got := socket.Hello; got.User == nil || got.User.Name != "Ada" || got.Limits.Text != 4000 {
		t.Errorf("hello is %+v, want the user and the limits", got)
	}
	if _, err := client.Await[*client.Pong](socket); err != nil {
		t.Error(err)
	}
}

func TestDialReturnsRefusalAsError(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]client.Error{
		`{"error":{"code":"rate_limited","message":"Too many.","retry_after_ms":180}}`: {Code: "rate_limited", Message: "Too many.", RetryAfterMS: 180},
		`{"error":{"code":"bad_room","message":"No room.","field":"room"}}`:            {Code: "bad_room", Message: "No room.", Field: "room", RetryAfterMS: 2000},
		`<html>a proxy</html>`: {Message: `"<html>a proxy</html>"`, RetryAfterMS: 2000},
	} {
		server := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "2")
			w.WriteHeader(http.StatusTooManyRequests)
			w.Write([]byte(body))
		})
		_, err := server.Dial(t.Context())
		got, ok := errors.AsType[*client.Error](err)
		if !ok || got.Status != http.StatusTooManyRequests || got.Header.Get("Retry-After") != "2" {
			t.Fatalf("response %s: got %v, want status 429 and Retry-After 2", body, err)
		}
		got.Status, got.Header = 0, nil
		if got.Code != want.Code || got.Message != want.Message || got.Field != want.Field || got.RetryAfterMS != want.RetryAfterMS {
			t.Errorf("%s: %+v, want %+v", body, *got, want)
		}
	}
}

func TestNextRespondsToPingsAndReturnsCloseCode(t *testing.T) {
	t.Parallel()
	server := serve(t, func(f *fake) {
		wsutil.WriteServerMessage(f.conn, ws.OpPing, []byte("are you there"))
		if header, payload := f.readFrame(); header.OpCode != ws.OpPong || string(payload) != "are you there" {
			t.Errorf("got %+v: %s; want a pong with the payload of the ping", header, payload)
		}
		f.close(1012, "the server is going away")
	})
	_, err := dial(t, server).Next()
	if closed, ok := errors.AsType[*client.CloseError](err); !ok || closed.Code != client.CloseRestart || closed.Reason != "the server is going away" {
		t.Errorf("got %v, want close code 1012", err)
	}
}

func TestCompressedBatchIsDecoded(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	writer := zlib.NewWriter(&packed)
	writer.Write([]byte(`{"type":"entries","room":"lobby","after":"1-0@E","upto":"2-0@E","entries":[{"id":"2-0","n":2,"kind":"message","text":"hi"}]}`))
	writer.Close()
	socket := dial(t, serve(t, func(f *fake) { wsutil.WriteServerBinary(f.conn, packed.Bytes()) }))
	batch, err := client.Await[*client.Entries](socket)
	if err != nil || batch.Upto != "2-0@E" || len(batch.Entries) != 1 || batch.Entries[0].Text != "hi" {
		t.Errorf("got %+v, %v; want the batch", batch, err)
	}
}

func TestSyncReturnsFramesBeforePong(t *testing.T) {
	t.Parallel()
	socket := dial(t, serve(t, func(f *fake) {
		f.want(`{"type":"typing","room":"lobby"}`)
		f.want(`{"type":"ping"}`)
		f.write(`{"type":"status","redis":"away"}`)
		f.write(`{"type":"pong"}`)
	}))
	if err := socket.Send(client.Typing{Room: "lobby"}); err != nil {
		t.Fatal(err)
	}
	frames, err := socket.Sync()
	if err != nil || len(frames) != 1 || frames[0].(*client.Status).Redis != "away" {
		t.Errorf("Sync = %v, %v; want the status away", frames, err)
	}
}

func TestAwaitReturnsErrorFrame(t *testing.T) {
	t.Parallel()
	socket := dial(t, serve(t, func(f *fake) {
		f.write(`{"type":"error","code":"not_yours","message":"It is not yours.","room":"lobby","key":"k","field":"of"}`)
		f.write(`{"type":"error","code":"not_found","message":"It is gone.","room":"lobby","key":"k"}`)
	}))
	_, err := client.Await[*client.Stored](socket)
	if refused, ok := errors.AsType[*client.Error](err); !ok || refused.Code != "not_yours" || refused.Key != "k" || !refused.IsFinal() {
		t.Errorf("error %v, want a final not_yours with the key", err)
	}
	if refused, err := client.Await[*client.Error](socket); err != nil || refused.Code != "not_found" {
		t.Errorf("Await = %+v, %v; want not_found", refused, err)
	}
}

func TestUnknownFrameTypeIsNotAnError(t *testing.T) {
	t.Parallel()
	socket := dial(t, serve(t, func(f *fake) { f.write(`{"type":"poll","room":"lobby"}`) }))
	frame, err := socket.Next()
	if unknown, ok := frame.(*client.Unknown); err != nil || !ok || unknown.Type != "poll" {
		t.Errorf("got %+v, %v; want an unknown frame of type poll", frame, err)
	}
}

func TestNextTimesOutIfServerIsSilent(t *testing.T) {
	t.Parallel()
	socket := dial(t, serve(t, (*fake).idle))
	socket.Timeout = 10 * time.Millisecond
	_, err := socket.Next()
	if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() {
		t.Errorf("got %v, want a timeout", err)
	}
}

func TestRawBytesAreSentAndReceivedUnchanged(t *testing.T) {
	t.Parallel()
	socket := dial(t, serve(t, func(f *fake) {
		f.want("not JSON")
		if header, payload := f.readFrame(); header.Masked || string(payload) != "unmasked" {
			t.Errorf("got %+v: %s; want an unmasked frame", header, payload)
		}
		f.close(1002, "unmasked")
	}))
	socket.WriteMessage(client.OpText, []byte("not JSON"))
	socket.WriteRaw(append([]byte{0x81, 8}, "unmasked"...))
	message, err := socket.Read()
	if err != nil || message.Op != client.OpClose || string(message.Data) != "\x03\xeaunmasked" {
		t.Errorf("got opcode %v, payload %q, %v; want close code 1002", message.Op, message.Data, err)
	}
}
