//go:build unix

package e2e

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"
)

func TestDrainClosesEveryConnectionAndLosesNothing(t *testing.T) {
	t.Parallel()
	const readers, senders = 80, 16 // Closing them takes 2 s. With more of them, the drain would only take longer.
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	token := server.SignIn("Ada")
	var open sync.WaitGroup
	var stored atomic.Int64
	clients := make([]*drainedClient, readers+senders)
	for i := range clients {
		socket, err := server.Client(token).Dial(t.Context(), client.Follow{Room: "lobby", Last: 0})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(socket.Cut)
		clients[i] = &drainedClient{Socket: socket, stored: make(map[string]string)}
	}
	for i, c := range clients {
		if i < senders {
			open.Go(func() { c.sendMessages(&stored) })
		} else {
			open.Go(c.read)
		}
	}
	var lines atomic.Int64
	for _, format := range []string{client.SSE, client.NDJSON, client.Plain} {
		stream, err := server.Client("").Live(t.Context(), client.Follow{Room: "lobby", Last: 0}, format)
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		open.Go(func() {
			for {
				if _, err := stream.Line(); err == io.EOF {
					return
				} else if err != nil {
					t.Errorf("the %s response did not end properly: %v", format, err)
					return
				}
				lines.Add(1)
			}
		})
	}
	apptest.Eventually(t, time.Minute, "messages to be stored and read", func() bool { return stored.Load() > 500 && lines.Load() > 100 })

	server.Signal(syscall.SIGTERM)
	began := time.Now()
	var status int
	var body string
	apptest.Eventually(t, time.Second, "readiness to fail", func() bool {
		status, body = server.Get("/readyz")
		return status != http.StatusOK
	})
	t.Logf("/readyz while draining: status %d, body %s", status, body)
	if _, err := server.Client(token).Dial(t.Context()); err == nil {
		t.Error("the draining server accepted a new WebSocket")
	}
	server.Signal(syscall.SIGTERM) // Heroku may repeat it
	apptest.Eventually(t, 25*time.Second, "the process to end", server.HasExited)
	t.Logf("exited %v after SIGTERM", time.Since(began))
	if code := server.ExitCode(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	open.Wait()

	for i, c := range clients {
		if closed, ok := errors.AsType[*client.CloseError](c.err); !ok || closed.Code != client.CloseRestart && closed.Code != 1001 {
			t.Errorf("client %d: %v, want close code 1012 or 1001", i, c.err)
		}
	}
	expectAcknowledgedAreStored(t, redis, clients)
}

// expectAcknowledgedAreStored checks that every acknowledged message is stored under its ID.
func expectAcknowledgedAreStored(t *testing.T, redis *redistest.Server, clients []*drainedClient) {
	t.Helper()
	ids := make(map[any]string)
	for _, entry := range apptest.Entries(t, redis, "lobby") {
		ids[entry.Values["key"]] = entry.ID
	}
	acknowledged := 0
	for _, c := range clients {
		for key, id := range c.stored {
			acknowledged++
			if ids[key] != id {
				t.Errorf("a message is stored as %q, want %s, the ID in its acknowledgment", ids[key], id)
			}
		}
	}
	t.Logf("%d messages were acknowledged, %d are stored", acknowledged, len(ids))
}

// drainedClient is a client that does not reconnect.
type drainedClient struct {
	*client.Socket
	err    error             // why the connection ended
	stored map[string]string // IDs of acknowledged entries, by key
}

// read reads until the connection ends.
func (d *drainedClient) read() {
	for d.err == nil {
		_, d.err = d.Next()
	}
}

// sendMessages sends messages until the connection ends. It waits until each is stored.
func (d *drainedClient) sendMessages(count *atomic.Int64) {
	for i := 0; d.err == nil; i++ {
		key := client.NewKey()
		if d.Send(client.Message{Room: "lobby", Key: key, Text: fmt.Sprintf("message %d", i)}) != nil {
			d.read() // the server may have sent a close frame before the write failed
			return
		}
		stored, err := client.Await[*client.Stored](d.Socket)
		if d.err = err; err == nil {
			d.stored[key] = stored.ID
			count.Add(1)
		}
	}
}
