package streams_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

// sendAll has authors send into the lobby, each its next when the one before is
// stored, again under the same key while nobody knows. It returns the ID of each
// key. before is called before each send.
func sendAll(t *testing.T, store *streams.Store, authors, each int, before func(author, i int) (more bool)) map[string]streams.ID {
	t.Helper()
	var mu sync.Mutex
	stored := make(map[string]streams.ID)
	var sending sync.WaitGroup
	for author := range authors {
		sending.Go(func() {
			for i := range each {
				if !before(author, i) {
					return
				}
				entry := streams.Entry{
					Kind: streams.Message, Key: uuid.NewString(), Text: fmt.Sprint(i),
					User: streams.User{ID: fmt.Sprint("author ", author), Name: "A"},
				}
				got, err := store.As(entry.User).Append(context.Background(), "lobby", entry)
				for errors.Is(err, streams.ErrUnavailable) {
					got, err = store.As(entry.User).Append(context.Background(), "lobby", entry)
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				stored[entry.Key] = got.Cursor.ID
				mu.Unlock()
			}
		})
	}
	sending.Wait()
	return stored
}

func TestWhatMayBeAppended(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		mine := say(t, store, "lobby", "mine").Cursor.ID
		gone := say(t, store, "lobby", "gone").Cursor.ID
		edit := amend(t, store, streams.Edit, mine, "mine, edited").Cursor.ID
		amend(t, store, streams.Delete, gone, "")
		never := streams.ID{Millis: mine.Millis, Seq: 1 << 30}
		far := streams.ID{Millis: math.MaxUint64, Seq: math.MaxUint64}
		for name, ask := range map[string]struct {
			entry streams.Entry
			want  error
		}{
			"edit one's own":              {streams.Entry{Kind: streams.Edit, User: ada, Of: mine, Text: "x"}, nil},
			"edit somebody else's":        {streams.Entry{Kind: streams.Edit, User: bob, Of: mine, Text: "x"}, streams.ErrNotYours},
			"delete somebody else's":      {streams.Entry{Kind: streams.Delete, User: bob, Of: mine}, streams.ErrNotYours},
			"react to somebody else's":    {streams.Entry{Kind: streams.React, User: bob, Of: mine, Emoji: "👍", On: true}, nil},
			"edit what never was":         {streams.Entry{Kind: streams.Edit, User: ada, Of: never, Text: "x"}, streams.ErrNotFound},
			"edit what cannot be":         {streams.Entry{Kind: streams.Edit, User: ada, Of: far, Text: "x"}, streams.ErrNotFound},
			"edit an edit":                {streams.Entry{Kind: streams.Edit, User: ada, Of: edit, Text: "x"}, streams.ErrNotFound},
			"edit nothing":                {streams.Entry{Kind: streams.Edit, User: ada, Text: "x"}, streams.ErrNotFound},
			"edit what is deleted":        {streams.Entry{Kind: streams.Edit, User: ada, Of: gone, Text: "x"}, streams.ErrNotFound},
			"delete what is deleted":      {streams.Entry{Kind: streams.Delete, User: ada, Of: gone}, streams.ErrNotFound},
			"react to what is deleted":    {streams.Entry{Kind: streams.React, User: ada, Of: gone, Emoji: "👍", On: true}, streams.ErrNotFound},
			"reply":                       {streams.Entry{Kind: streams.Message, User: bob, ReplyTo: mine, Text: "x"}, nil},
			"reply to what is deleted":    {streams.Entry{Kind: streams.Message, User: bob, ReplyTo: gone, Text: "x"}, nil},
			"reply to what never was":     {streams.Entry{Kind: streams.Message, User: bob, ReplyTo: never, Text: "x"}, streams.ErrNotFound},
			"reply to an edit":            {streams.Entry{Kind: streams.Message, User: bob, ReplyTo: edit, Text: "x"}, streams.ErrNotFound},
			"take off what one never put": {streams.Entry{Kind: streams.React, User: bob, Of: mine, Emoji: "🎈"}, nil},
		} {
			ask.entry.Key = uuid.NewString()
			before, _ := store.As(ada).Page(context.Background(), "lobby", streams.Where{Limit: 10})
			_, err := store.As(ask.entry.User).Append(context.Background(), "lobby", ask.entry)
			if !errors.Is(err, ask.want) {
				t.Errorf("%s: %v, want %v", name, err, ask.want)
			}
			after, _ := store.As(ada).Page(context.Background(), "lobby", streams.Where{Limit: 10})
			if ask.want != nil && after.AsOf != before.AsOf {
				t.Errorf("%s: refused, and yet stored", name)
			}
		}
		if _, err := store.As(ada).Append(context.Background(), "No", streams.Entry{}); !errors.Is(err, streams.ErrBadRoom) {
			t.Errorf("a bad room: %v", err)
		}
	})
}

func TestAKeyStandsForOneEntry(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		key := uuid.NewString()
		first := streams.Entry{Kind: streams.Message, Key: key, User: ada, Text: "once"}
		stored, err := store.As(first.User).Append(context.Background(), "lobby", first)
		if err != nil {
			t.Fatal(err)
		}
		of := stored.Cursor.ID
		capitals := first
		capitals.Key = strings.ToUpper(key)
		for name, ask := range map[string]struct {
			entry streams.Entry
			want  error
		}{
			"again":              {first, nil},
			"again, in capitals": {capitals, nil},
			"by somebody else":   {streams.Entry{Kind: streams.Message, Key: key, User: bob, Text: "once"}, streams.ErrKeyTaken},
			"for an edit":        {streams.Entry{Kind: streams.Edit, Key: key, User: ada, Of: of, Text: "twice"}, streams.ErrKeyTaken},
			"for a delete":       {streams.Entry{Kind: streams.Delete, Key: key, User: ada, Of: of}, streams.ErrKeyTaken},
			"for a topic":        {streams.Entry{Kind: streams.Topic, Key: key, User: ada, Text: "once"}, streams.ErrKeyTaken},
		} {
			again, err := store.As(ask.entry.User).Append(context.Background(), "lobby", ask.entry)
			if !errors.Is(err, ask.want) || err == nil && (again.Cursor != stored.Cursor || !again.Repeated) {
				t.Errorf("%s: %+v, %v, want %v", name, again, err, ask.want)
			}
		}
		// What the key stored may be erased: it is stored once all the same.
		amend(t, store, streams.Delete, of, "")
		if again, err := store.As(first.User).Append(context.Background(), "lobby", first); err != nil || !again.Repeated {
			t.Errorf("after it was deleted: %+v, %v", again, err)
		}
	})
}

func TestAMessageHasAtMostFiftyDifferentReactions(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		id := say(t, store, "lobby", "x").Cursor.ID
		for i := range 50 {
			amend(t, store, streams.React, id, fmt.Sprint("emoji ", i))
		}
		amend(t, store, streams.React, id, "emoji 7")
		entry := streams.Entry{Kind: streams.React, Key: uuid.NewString(), User: ada, Of: id, Emoji: "one more", On: true}
		if _, err := store.As(entry.User).Append(context.Background(), "lobby", entry); !errors.Is(err, streams.ErrTooManyReactions) {
			t.Errorf("the 51st: %v", err)
		}
	})
}

func TestDeletedTextIsGoneFromRedis(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		id := say(t, store, "lobby", "a secret").Cursor.ID
		say(t, store, "lobby", "harmless")
		edit := amend(t, store, streams.Edit, id, "an edited secret").Cursor
		amend(t, store, streams.React, id, "👍")
		last := amend(t, store, streams.Edit, id, "the last secret").Cursor
		f := follow(t, store, "lobby", streams.Newest(50))
		f.has(5)
		amend(t, store, streams.Delete, id, "")
		f.has(6)
		if all := everything(t, backend); strings.Contains(all, "secret") || !strings.Contains(all, "harmless") {
			t.Errorf("redis holds %s", all)
		}
		// Nor does this process: who comes now reads what is left.
		late := follow(t, store, "lobby", streams.After(streams.Cursor{}))
		late.has(3)
		if got := texts(late.all); strings.Contains(got, "secret") {
			t.Errorf("still read: %q", got)
		}
		for _, cursor := range []streams.Cursor{{ID: id, Epoch: last.Epoch}, edit, last} {
			back := follow(t, store, "lobby", streams.After(cursor))
			if got := back.state(); got.State != streams.Resumed || got.At != cursor {
				t.Errorf("from the erased %v: %v", cursor, got)
			}
		}
	})
}

// everything is what all keys hold.
func everything(t *testing.T, backend redistest.Backend) string {
	t.Helper()
	ctx := context.Background()
	var all strings.Builder
	for _, key := range backend.Keys(t) {
		var value any
		switch backend.Client.Type(ctx, key).Val() {
		case "string":
			value = backend.Client.Get(ctx, key).Val()
		case "hash":
			value = backend.Client.HGetAll(ctx, key).Val()
		case "zset":
			value = backend.Client.ZRange(ctx, key, 0, -1).Val()
		case "stream":
			value = backend.Client.XRange(ctx, key, "-", "+").Val()
		default:
			t.Fatalf("key %s of an unknown type", key)
		}
		fmt.Fprintln(&all, key, value)
	}
	return all.String()
}

func TestAppendEndsWithTheStore(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store, err := streams.Open(context.Background(), streams.Options{Redis: server.Redis()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- store.Run(ctx) }()
	say(t, store, "lobby", "x")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	entry := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), User: ada, Text: "too late"}
	if _, err := store.As(entry.User).Append(context.Background(), "lobby", entry); !errors.Is(err, streams.ErrUnavailable) {
		t.Errorf("after the end: %v", err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}
