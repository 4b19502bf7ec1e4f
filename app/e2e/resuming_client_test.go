//go:build unix

package e2e

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/client"
)

// resumingClient is a client that connects on demand and resumes from its cursor.
type resumingClient struct {
	*client.Socket
	t      *testing.T
	token  string
	cursor string
	count  int // entries read
	chain  client.Chain
}

// connect opens a WebSocket and follows the lobby from the cursor.
func (r *resumingClient) connect(server *apptest.Server) {
	follow := client.Follow{Room: "lobby", After: r.cursor}
	r.chain = client.Chain{}
	r.chain.AddFollow(follow)
	var err error
	// A listener's queue is shorter than crowdSize, so the kernel refuses some connections at first.
	for range 20 {
		if r.Socket, err = server.Client(r.token).Dial(r.t.Context(), follow); err == nil {
			r.t.Cleanup(r.Socket.Cut)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	r.t.Errorf("dial: %v", err)
}

// decoded caches frames by their text. All clients receive the same frames, and decoding them for
// each client would take more CPU than the server does.
var decoded sync.Map

// next is like Next, with the cache.
func (r *resumingClient) next() (client.Frame, error) {
	for {
		message, err := r.Read()
		switch {
		case err != nil:
			return nil, err
		case message.Op == client.OpPing:
			if err := r.WriteMessage(client.OpPong, message.Data); err != nil {
				return nil, err
			}
			continue
		case message.Op == client.OpClose:
			return nil, fmt.Errorf("closed: %q", message.Data)
		}
		if frame, ok := decoded.Load(string(message.Data)); ok {
			return frame.(client.Frame), nil
		}
		frame, err := message.Decode()
		if err == nil {
			decoded.Store(string(message.Data), frame)
		}
		return frame, err
	}
}

// read reads until it has count entries, numbered from 1 without gaps.
func (r *resumingClient) read(count int) {
	for r.Socket != nil && r.count < count {
		frame, err := r.next()
		if err == nil {
			err = r.chain.Check(frame)
		}
		if err != nil {
			r.t.Errorf("after %d of %d entries: %v", r.count, count, err)
			return
		}
		r.cursor = r.chain.Cursor("lobby")
		switch f := frame.(type) {
		case *client.Followed:
			if f.State != client.Resumed {
				r.t.Errorf("followed is %q, want resumed: %+v", f.State, f)
			}
		case *client.Entries:
			for _, entry := range f.Entries {
				if r.count++; entry.Number != int64(r.count) {
					r.t.Errorf("received the entry with number %d, want %d", entry.Number, r.count)
				}
			}
		}
	}
}
