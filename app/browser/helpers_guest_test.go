//go:build unix

package browser

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"

	"github.com/redis/go-redis/v9"
)

// guest is a user without a browser. It uses the WebSocket protocol directly.
type guest struct {
	*client.Socket
	t       *testing.T
	token   string
	replies chan client.Frame // to appends
}

// newGuest signs in a guest with the name.
func newGuest(t *testing.T, server *apptest.Server, name string) *guest {
	t.Helper()
	g := tryGuest(t, server, name)
	if g == nil {
		t.Fatalf("the server refused the name %q", name)
	}
	return g
}

// tryGuest signs in a guest with the name. It returns nil if the server refuses the name.
func tryGuest(t *testing.T, server *apptest.Server, name string) *guest {
	t.Helper()
	session := server.Client("")
	_, err := session.SignIn(t.Context(), name)
	if refusal, ok := errors.AsType[*client.Error](err); ok && refusal.Field == "name" {
		return nil
	}
	if err != nil {
		t.Fatalf("sign in as %q: %v", name, err)
	}
	return connect(t, server, session.Token)
}

// connect opens a connection for the token's user, which stays open until the test ends.
func connect(t *testing.T, server *apptest.Server, token string) *guest {
	t.Helper()
	socket, err := server.Client(token).Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	g := &guest{Socket: socket, t: t, token: token, replies: make(chan client.Frame, 1)}
	go g.receiveAll()
	t.Cleanup(func() {
		g.Cut()
		for range g.replies { // until receiveAll has returned
		}
	})
	return g
}

// receiveAll reads until the connection ends, and passes on the replies to appends.
func (g *guest) receiveAll() {
	defer close(g.replies)
	for {
		frame, err := g.Next()
		if err != nil {
			return
		}
		switch frame.(type) {
		case *client.Stored, *client.Error:
			g.replies <- frame
		}
	}
}

// append appends an entry and returns its ID.
func (g *guest) append(request client.Append) (id string) {
	g.t.Helper()
	g.request(request)
	select {
	case reply := <-g.replies:
		stored, ok := reply.(*client.Stored)
		if !ok {
			g.t.Fatalf("the reply to %+v is %+v, want stored", request, reply)
		}
		return stored.ID
	case <-time.After(timeout):
		g.t.Fatalf("no reply to %+v", request)
		return ""
	}
}

// request sends a request without waiting for a reply.
func (g *guest) request(request client.Request) {
	g.t.Helper()
	if err := g.Send(request); err != nil {
		g.t.Fatal(err)
	}
}

// follow follows a room, in which the guest is then present.
func (g *guest) follow(room string) {
	g.t.Helper()
	g.request(client.Follow{Room: room})
}

// send sends a message.
func (g *guest) send(room, text string) (id string) {
	g.t.Helper()
	return g.append(client.Message{Room: room, Key: client.NewKey(), Text: text})
}

// reply replies to a message.
func (g *guest) reply(room, to, text string) (id string) {
	g.t.Helper()
	return g.append(client.Message{Room: room, Key: client.NewKey(), Text: text, ReplyTo: to})
}

// edit edits one of the guest's messages.
func (g *guest) edit(room, of, text string) {
	g.t.Helper()
	g.append(client.Edit{Room: room, Key: client.NewKey(), Target: of, Text: text})
}

// delete deletes one of the guest's messages.
func (g *guest) delete(room, of string) {
	g.t.Helper()
	g.append(client.Delete{Room: room, Key: client.NewKey(), Target: of})
}

// react adds a reaction to a message.
func (g *guest) react(room, of, emoji string) {
	g.t.Helper()
	g.append(client.React{Room: room, Key: client.NewKey(), Target: of, Emoji: emoji, On: true})
}

// setTopic sets a room's topic.
func (g *guest) setTopic(room, text string) {
	g.t.Helper()
	g.append(client.Topic{Room: room, Key: client.NewKey(), Text: text})
}

// waitTyping waits until the expression is true while the guests are typing. They repeat the typing
// signal, because the page shows it for only a few seconds.
func (u *user) waitTyping(what, expression, room string, guests ...*guest) {
	u.t.Helper()
	for deadline := time.Now().Add(timeout); !eval[bool](u, expression); {
		if time.Now().After(deadline) {
			u.t.Fatalf("%s timed out waiting for %s:\n%s", u.name, what, u.describePage())
		}
		for _, one := range guests {
			one.request(client.Typing{Room: room})
		}
	}
}

// numbered returns the texts "message 1" to "message count".
func numbered(count int) (texts []string) {
	for i := range count {
		texts = append(texts, fmt.Sprintf("message %d", i+1))
	}
	return texts
}

// fillHistory fills a new room with messages from a guest called Historian. It gives them IDs in the
// past: apart is the time between two messages, and the newest message is sent now.
func fillHistory(t *testing.T, server *redistest.Server, burble *apptest.Server, room string, apart time.Duration, texts ...string) (times []time.Time) {
	t.Helper()
	token := burble.SignIn("Historian")
	for _, text := range texts {
		if status, body := burble.Post(token, room, client.NewKey(), text); status != http.StatusCreated {
			t.Fatalf("post: status %d, want 201: %s", status, body)
		}
	}
	redisClient := server.Client()
	defer redisClient.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	key := apptest.RoomKey(t, redisClient, room)
	entries := apptest.Entries(t, server, room)
	pipeline := redisClient.Pipeline()
	pipeline.Del(ctx, key)
	for i, entry := range entries {
		at := time.Now().Add(-apart * time.Duration(len(entries)-1-i))
		times = append(times, at)
		pipeline.XAdd(ctx, &redis.XAddArgs{Stream: key, ID: fmt.Sprintf("%d-0", at.UnixMilli()), Values: entry.Values})
	}
	if _, err := pipeline.Exec(ctx); err != nil {
		t.Fatal(err)
	}
	return times
}

// sendConversation makes three guests send messages of all sizes at once. One guest sends most of
// them, so that most messages have no heading of their own, and the first message on the page may lose its
// heading when older ones load above it.
func sendConversation(t *testing.T, server *apptest.Server, room string, count int) {
	t.Helper()
	texts := map[string][]string{}
	for i := range count {
		author := cmp.Or(map[int]string{3: "Dan", 7: "Eve"}[i%20], "Cleo")
		texts[author] = append(texts[author], variedMessage(i))
	}
	var group sync.WaitGroup
	for author, texts := range texts {
		writer, err := server.Client(server.SignIn(author)).Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer writer.Cut()
		group.Go(func() {
			for _, text := range texts {
				writer.Send(client.Message{Room: room, Key: client.NewKey(), Text: text})
			}
		})
		group.Go(func() {
			for range texts {
				if _, err := client.Await[*client.Stored](writer); err != nil {
					t.Errorf("%s: %v", author, err)
					return
				}
			}
		})
	}
	group.Wait()
}

// variedMessage returns a realistic message. Most are short, some are long.
func variedMessage(i int) string {
	switch {
	case i%31 == 0:
		return fmt.Sprintf("look at %d\n```go\nfunc f%d() {\n\treturn %d\n}\n```", i, i, i)
	case i%17 == 0:
		return fmt.Sprintf("%d:\n- one\n- two\n\n> three", i)
	case i%13 == 0:
		return fmt.Sprintf("%d %s", i, strings.Repeat("and so on ", i%90))
	}
	return fmt.Sprintf("message %d", i)
}
