package client_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"burble/app/client"
)

// runBot runs a bot in the server's lobby until the test ends.
func runBot(t *testing.T, server *client.Server, handle func(client.Frame), disconnected func(error)) *client.Bot {
	t.Helper()
	bot := &client.Bot{
		Servers: []*client.Server{server}, Follows: []client.Follow{{Room: "lobby", Last: 0}},
		Handle: handle, Disconnected: disconnected, MaxBackoff: time.Millisecond,
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- bot.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return bot
}

const (
	freshFollow = `{"type":"follow","room":"lobby","last":0}`
	fresh       = `{"type":"followed","room":"lobby","state":"fresh","at":"1-0@E","last":"1-0@E","n":1}`
	secondEntry = `{"type":"entries","room":"lobby","after":"1-0@E","upto":"2-0@E","entries":[{"id":"2-0","n":2,"kind":"message","text":"two"}]}`
	thirdEntry  = `{"type":"entries","room":"lobby","after":"2-0@E","upto":"3-0@E","entries":[{"id":"3-0","n":3,"kind":"message","text":"three"}]}`
)

// resume serves a client that resumes after the second entry.
func resume(f *fake) {
	f.want(`{"type":"follow","room":"lobby","after":"2-0@E"}`)
	f.write(`{"type":"followed","room":"lobby","state":"resumed","at":"2-0@E","last":"2-0@E","n":2}`)
	f.write(thirdEntry)
	f.idle()
}

// texts returns a handler that sends the texts of entries to a channel.
func texts(into chan<- string) func(client.Frame) {
	return func(frame client.Frame) {
		if batch, ok := frame.(*client.Entries); ok {
			for _, entry := range batch.Entries {
				into <- entry.Text
			}
		}
	}
}

func TestBotResumesAfterRestartAndAfterABrokenChain(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*fake){
		"restart":      func(f *fake) { f.close(client.CloseRestart, "the server is going away") },
		"broken chain": func(f *fake) { f.write(secondEntry); f.idle() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, func(f *fake) {
				f.want(freshFollow)
				f.write(fresh)
				f.write(secondEntry)
				end(f)
			}, resume)
			got, reasons := make(chan string, 10), make(chan error, 10)
			bot := runBot(t, server, texts(got), func(err error) { reasons <- err })
			if first, second := <-got, <-got; first != "two" || second != "three" {
				t.Errorf("got %s, %s; want two, three", first, second)
			}
			reason := <-reasons
			closed, restart := errors.AsType[*client.CloseError](reason)
			_, broken := errors.AsType[*client.ContinuityError](reason)
			if restart && closed.Code != client.CloseRestart || restart != (name == "restart") || broken == restart {
				t.Errorf("Disconnected: got %v; want a restart: %v, a broken chain: %v", reason, name == "restart", !restart)
			}
			if cursor := bot.Cursor("lobby"); cursor != "3-0@E" {
				t.Errorf("the cursor is %s, want 3-0@E", cursor)
			}
		})
	}
}

func TestBotRepeatsAnAppendWithTheSameKeyUntilItIsStored(t *testing.T) {
	t.Parallel()
	const send = `{"type":"send","room":"lobby","key":"k","text":"hi"}`
	server := serve(t, func(f *fake) {
		f.want(freshFollow)
		f.write(fresh)
		f.want(send)
		f.write(`{"type":"error","code":"unavailable","message":"Try again.","room":"lobby","key":"k"}`)
		f.want(send) // the connection then ends without an answer
	}, func(f *fake) {
		f.want(`{"type":"follow","room":"lobby","after":"1-0@E"}`)
		f.want(send)
		f.write(`{"type":"stored","room":"lobby","key":"k","id":"2-0"}`)
		f.want(`{"type":"delete","room":"lobby","key":"l","of":"1-0"}`)
		f.write(`{"type":"error","code":"not_yours","message":"It is not yours.","room":"lobby","key":"l","field":"of"}`)
		f.idle()
	})
	bot := runBot(t, server, nil, nil)
	stored, err := bot.Append(t.Context(), client.Message{Room: "lobby", Key: "k", Text: "hi"})
	if err != nil || stored.ID != "2-0" {
		t.Errorf("Append = %+v, %v; want ID 2-0", stored, err)
	}
	_, err = bot.Append(t.Context(), client.Delete{Room: "lobby", Key: "l", Target: "1-0"})
	if refused, ok := errors.AsType[*client.Error](err); !ok || refused.Code != "not_yours" {
		t.Errorf("delete: got %v, want not_yours", err)
	}
}

func TestRunReturnsAFinalRefusal(t *testing.T) {
	t.Parallel()
	attempts := 0
	server := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		if attempts++; attempts == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusForbidden)
		w.Write([]byte(`{"error":{"code":"not_allowed","message":"That token is no good."}}`))
	})
	bot := &client.Bot{Servers: []*client.Server{server}, MaxBackoff: time.Millisecond}
	err := bot.Run(t.Context())
	if refused, ok := errors.AsType[*client.Error](err); !ok || refused.Code != "not_allowed" || attempts != 2 {
		t.Errorf("after %d attempts: got %v, want not_allowed after 2", attempts, err)
	}
}
