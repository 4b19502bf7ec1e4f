package streams_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

// A transcript collects the entries that one client reads from a room over all its connections. It checks
// that each batch begins where the previous one ended.
type transcript struct {
	room    string
	at      streams.Cursor
	begun   bool
	entries []streams.Entry
	losses  int
}

// connect resumes from the client's cursor and reads until ctx ends.
func (c *transcript) connect(ctx context.Context, store *streams.Store) error {
	ready := make(chan struct{}, 1)
	from := streams.After(c.at)
	if !c.begun {
		from = streams.After(streams.Cursor{})
	}
	reader, err := store.As(ada).Follow(c.room, from, func(*streams.Reader) {
		select {
		case ready <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return err
	}
	defer reader.Close()
	for {
		read, err := reader.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
		case read.Followed != nil:
			if err := c.followed(*read.Followed); err != nil {
				return err
			}
			continue
		case read.Batch != nil:
			if err := c.batch(read.Batch); err != nil {
				return err
			}
			continue
		}
		select {
		case <-ready:
		case <-ctx.Done():
			return nil
		}
	}
}

func (c *transcript) followed(followed streams.Followed) error {
	switch followed.State {
	case streams.Resumed:
		if c.begun && followed.At.ID != c.at.ID {
			return fmt.Errorf("room %s: got state resumed at %v, want at %v", c.room, followed.At, c.at)
		}
	case streams.Truncated:
		c.losses++
		c.entries = nil
	default:
		return fmt.Errorf("room %s: follow after %v: got state %v, want resumed or truncated", c.room, c.at, followed.State)
	}
	c.begun, c.at = true, followed.At
	return nil
}

func (c *transcript) batch(batch *streams.Batch) error {
	if batch.After != c.at {
		return fmt.Errorf("room %s: got a batch after %v, want it after %v", c.room, batch.After, c.at)
	}
	last := c.at.ID
	for _, entry := range batch.Entries {
		if !last.Before(entry.ID) || batch.Upto.ID.Before(entry.ID) {
			return fmt.Errorf("room %s: got entry %v after %v, want IDs in ascending order in (%v, %v]", c.room, entry.ID, last, batch.After, batch.Upto)
		}
		last = entry.ID
	}
	c.at = batch.Upto
	c.entries = append(c.entries, batch.Entries...)
	return nil
}

// TestStress runs clients that keep reconnecting to several Stores over unreliable connections, while
// authors post and delete messages, and appends trim the rooms. At the end, each transcript must have all
// entries of its room, except erased ones.
func TestStress(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]streams.Options{
		"everything kept": {}, "trimmed": {MaxCount: 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &stress{T: t, server: redistest.Start(t), rooms: []string{"a", "b", "c"}}
			s.run(options)
		})
	}
}

type stress struct {
	*testing.T
	server *redistest.Server
	rooms  []string
	stores []*streams.Store
	ctx    context.Context // for the clients' connections

	mu           sync.Mutex
	acknowledged map[string]map[streams.ID]streams.Entry // by room
}

func (s *stress) run(options streams.Options) {
	var proxies []*redistest.Proxy
	for range 3 {
		proxy := redistest.StartProxy(s.T, s.server.Addr)
		proxies = append(proxies, proxy)
		options.Redis = s.server.Redis()
		options.Redis.Addrs = []string{proxy.Addr}
		s.stores = append(s.stores, redistest.Open(s.T, options))
	}
	s.acknowledged = make(map[string]map[streams.ID]streams.Entry)
	for _, room := range s.rooms {
		s.acknowledged[room] = make(map[streams.ID]streams.Entry)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.ctx = ctx
	var connecting, writing, breaking sync.WaitGroup
	clients := make([]*transcript, 24)
	for i := range clients {
		clients[i] = &transcript{room: s.rooms[i%len(s.rooms)]}
		connecting.Go(func() { s.reconnect(clients[i]) })
	}
	for author := range 6 {
		writing.Go(func() { s.write(author) })
	}
	breaking.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(50 * time.Millisecond): // break the connections of a random Store
				proxies[rand.IntN(len(proxies))].Reroute(s.server.Addr)
			}
		}
	})
	writing.Wait()
	stop()
	connecting.Wait()
	breaking.Wait()
	for i, client := range clients {
		s.compare(i, client)
	}
}

// reconnect connects to one Store after another, for a short time each.
func (s *stress) reconnect(client *transcript) {
	for s.ctx.Err() == nil && !s.Failed() {
		ctx, cancel := context.WithTimeout(s.ctx, time.Duration(rand.IntN(300))*time.Millisecond)
		if err := client.connect(ctx, s.stores[rand.IntN(len(s.stores))]); err != nil {
			s.Error(err)
		}
		cancel()
	}
}

// write appends 300 entries, one at a time.
func (s *stress) write(author int) {
	user := streams.User{ID: fmt.Sprint("author ", author), Name: "A"}
	var mine []streams.ID
	for i := range 300 {
		room := s.rooms[(author+i/100)%len(s.rooms)]
		entry := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), User: user, Text: fmt.Sprint(i)}
		if i%100 == 0 {
			mine = nil
		}
		if len(mine) > 0 && rand.IntN(8) == 0 {
			entry.Kind, entry.Of = streams.Delete, mine[rand.IntN(len(mine))]
		}
		store := s.stores[rand.IntN(len(s.stores))]
		stored, err := store.As(entry.User).Append(context.Background(), room, entry)
		for errors.Is(err, streams.ErrUnavailable) {
			stored, err = store.As(entry.User).Append(context.Background(), room, entry)
		}
		if errors.Is(err, streams.ErrNotFound) && entry.Kind == streams.Delete {
			continue // the entry was deleted or trimmed
		}
		if err != nil {
			s.Error(err)
			return
		}
		if entry.Kind == streams.Message {
			mine = append(mine, stored.Cursor.ID)
		}
		entry.ID = stored.Cursor.ID
		s.mu.Lock()
		if _, twice := s.acknowledged[room][entry.ID]; twice {
			s.Errorf("room %s: got two entries with ID %v", room, entry.ID)
		}
		s.acknowledged[room][entry.ID] = entry
		s.mu.Unlock()
	}
}

// compare lets the client read to the end, and checks that it has all entries.
func (s *stress) compare(i int, client *transcript) {
	var last streams.ID
	erased := make(map[streams.ID]bool)
	for id, entry := range s.acknowledged[client.room] {
		if last.Before(id) {
			last = id
		}
		if entry.Kind == streams.Delete {
			erased[entry.Of] = true
		}
	}
	f := follow(s.T, s.stores[0], client.room, streams.After(client.at))
	f.readUntil("the end", func() bool { return !f.cursor.ID.Before(last) })
	for _, followed := range f.states {
		if err := client.followed(followed); err != nil {
			s.Fatal(err)
		}
	}
	client.entries = append(client.entries, f.entries...)
	have := make(map[streams.ID]bool)
	for _, entry := range client.entries {
		want, known := s.acknowledged[client.room][entry.ID]
		if !known || have[entry.ID] || want.Key != entry.Key || want.Kind != entry.Kind {
			s.Errorf("client %d of room %s: got %+v, want %+v, repeated: %v", i, client.room, entry, want, have[entry.ID])
		}
		have[entry.ID] = true
	}
	if len(client.entries) == 0 {
		s.Errorf("client %d of room %s: got no entries", i, client.room)
		return
	}
	for id := range s.acknowledged[client.room] {
		if !have[id] && !erased[id] && client.entries[0].ID.Before(id) {
			s.Errorf("client %d of room %s: missed entry %v", i, client.room, id)
		}
	}
}
