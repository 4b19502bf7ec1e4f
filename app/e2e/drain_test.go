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
	const readers, speakers = 184, 16
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	token := server.SignIn("Ada")
	var open sync.WaitGroup
	var stored atomic.Int64
	clients := make([]*drained, readers+speakers)
	for i := range clients {
		socket, err := server.Client(token).Dial(t.Context(), client.Follow{Room: "lobby", Last: 0})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(socket.Cut)
		clients[i] = &drained{Socket: socket, stored: make(map[string]string)}
		if i < speakers {
			open.Go(func() { clients[i].speak(&stored) })
		} else {
			open.Go(clients[i].read)
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
					t.Errorf("%s did not end as a response does: %v", format, err)
					return
				}
				lines.Add(1)
			}
		})
	}
	apptest.Eventually(t, time.Minute, "messages to be stored and read", func() bool { return stored.Load() > 500 && lines.Load() > 100 })

	server.Signal(syscall.SIGTERM)
	began := time.Now()
	apptest.Eventually(t, time.Second, "readiness to fail", func() bool { status, _ := server.Get("/readyz"); return status != http.StatusOK })
	status, body := server.Get("/readyz")
	t.Logf("readiness: %d %s", status, body)
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
	ids := make(map[any]string)
	for _, entry := range apptest.Entries(t, redis, "lobby") {
		ids[entry.Values["key"]] = entry.ID
	}
	acknowledged := 0
	for _, c := range clients {
		for key, id := range c.stored {
			acknowledged++
			if ids[key] != id {
				t.Errorf("acknowledged as %s, stored as %q", id, ids[key])
			}
		}
	}
	t.Logf("%d messages were acknowledged, %d are stored", acknowledged, len(ids))
}

// drained is a client that does not come back.
type drained struct {
	*client.Socket
	err    error             // that ended the connection
	stored map[string]string // acknowledged entry IDs by key
}

// read reads until the connection ends.
func (d *drained) read() {
	for d.err == nil {
		_, d.err = d.Next()
	}
}

// speak sends messages until the connection ends, each after the last one is stored.
func (d *drained) speak(count *atomic.Int64) {
	for i := 0; d.err == nil; i++ {
		key := client.NewKey()
		if d.Send(client.Message{Room: "lobby", Key: key, Text: fmt.Sprintf("message %d", i)}) != nil {
			d.read() // the close frame may have come before the write failed
			return
		}
		stored, err := client.Await[*client.Stored](d.Socket)
		if d.err = err; err == nil {
			d.stored[key] = stored.ID
			count.Add(1)
		}
	}
}
