package streams_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

func TestAppendChecksTargets(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		mine := post(t, store, "lobby", "mine").Cursor.ID
		gone := post(t, store, "lobby", "gone").Cursor.ID
		edit := amend(t, store, streams.Edit, mine, "mine, edited").Cursor.ID
		amend(t, store, streams.Delete, gone, "")
		never := streams.ID{Millis: mine.Millis, Seq: 1 << 30}
		far := streams.ID{Millis: math.MaxUint64, Seq: math.MaxUint64}
		for name, test := range map[string]struct {
			entry streams.Entry
			want  error
		}{
			"edit own message":              {streams.Entry{Kind: streams.Edit, User: ada, Of: mine, Text: "x"}, nil},
			"edit another's message":        {streams.Entry{Kind: streams.Edit, User: bob, Of: mine, Text: "x"}, streams.ErrNotYours},
			"delete another's message":      {streams.Entry{Kind: streams.Delete, User: bob, Of: mine}, streams.ErrNotYours},
			"react to another's message":    {streams.Entry{Kind: streams.React, User: bob, Of: mine, Emoji: "👍", On: true}, nil},
			"edit an unknown ID":            {streams.Entry{Kind: streams.Edit, User: ada, Of: never, Text: "x"}, streams.ErrNotFound},
			"edit the greatest ID":          {streams.Entry{Kind: streams.Edit, User: ada, Of: far, Text: "x"}, streams.ErrNotFound},
			"edit an edit":                  {streams.Entry{Kind: streams.Edit, User: ada, Of: edit, Text: "x"}, streams.ErrNotFound},
			"edit nothing":                  {streams.Entry{Kind: streams.Edit, User: ada, Text: "x"}, streams.ErrNotFound},
			"edit a deleted message":        {streams.Entry{Kind: streams.Edit, User: ada, Of: gone, Text: "x"}, streams.ErrNotFound},
			"delete a deleted message":      {streams.Entry{Kind: streams.Delete, User: ada, Of: gone}, streams.ErrNotFound},
			"react to a deleted message":    {streams.Entry{Kind: streams.React, User: ada, Of: gone, Emoji: "👍", On: true}, streams.ErrNotFound},
			"reply":                         {streams.Entry{Kind: streams.Message, User: bob, ReplyTo: mine, Text: "x"}, nil},
			"reply to a deleted message":    {streams.Entry{Kind: streams.Message, User: bob, ReplyTo: gone, Text: "x"}, nil},
			"reply to an unknown ID":        {streams.Entry{Kind: streams.Message, User: bob, ReplyTo: never, Text: "x"}, streams.ErrNotFound},
			"reply to an edit":              {streams.Entry{Kind: streams.Message, User: bob, ReplyTo: edit, Text: "x"}, streams.ErrNotFound},
			"remove a reaction never added": {streams.Entry{Kind: streams.React, User: bob, Of: mine, Emoji: "🎈"}, nil},
		} {
			test.entry.Key = uuid.NewString()
			before, _ := store.As(ada).Page(context.Background(), "lobby", streams.PageQuery{Limit: 10})
			_, err := store.As(test.entry.User).Append(context.Background(), "lobby", test.entry)
			if !errors.Is(err, test.want) {
				t.Errorf("%s: got error %v, want %v", name, err, test.want)
			}
			after, _ := store.As(ada).Page(context.Background(), "lobby", streams.PageQuery{Limit: 10})
			if test.want != nil && after.AsOf != before.AsOf {
				t.Errorf("%s: Append returned an error, but stored an entry", name)
			}
		}
		if _, err := store.As(ada).Append(context.Background(), "No", streams.Entry{}); !errors.Is(err, streams.ErrBadRoom) {
			t.Errorf("bad room name: got error %v, want ErrBadRoom", err)
		}
	})
}

func TestKeyIsStoredOnce(t *testing.T) {
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
		for name, test := range map[string]struct {
			entry streams.Entry
			want  error
		}{
			"retried":              {first, nil},
			"retried in capitals":  {capitals, nil},
			"used by another user": {streams.Entry{Kind: streams.Message, Key: key, User: bob, Text: "once"}, streams.ErrKeyTaken},
			"used for an edit":     {streams.Entry{Kind: streams.Edit, Key: key, User: ada, Of: of, Text: "twice"}, streams.ErrKeyTaken},
			"used for a deletion":  {streams.Entry{Kind: streams.Delete, Key: key, User: ada, Of: of}, streams.ErrKeyTaken},
			"used for a topic":     {streams.Entry{Kind: streams.Topic, Key: key, User: ada, Text: "once"}, streams.ErrKeyTaken},
		} {
			again, err := store.As(test.entry.User).Append(context.Background(), "lobby", test.entry)
			if !errors.Is(err, test.want) || err == nil && (again.Cursor != stored.Cursor || !again.Repeated) {
				t.Errorf("%s: got %+v, %v, want error %v", name, again, err, test.want)
			}
		}
		// A key stays in use after its message is erased.
		amend(t, store, streams.Delete, of, "")
		if again, err := store.As(first.User).Append(context.Background(), "lobby", first); err != nil || !again.Repeated {
			t.Errorf("retry after the message was deleted: got %+v, %v, want it repeated", again, err)
		}
	})
}

func TestAppendLimitsReactions(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		id := post(t, store, "lobby", "x").Cursor.ID
		for i := range 50 {
			amend(t, store, streams.React, id, fmt.Sprint("emoji ", i))
		}
		amend(t, store, streams.React, id, "emoji 7")
		entry := streams.Entry{Kind: streams.React, Key: uuid.NewString(), User: ada, Of: id, Emoji: "one more", On: true}
		if _, err := store.As(entry.User).Append(context.Background(), "lobby", entry); !errors.Is(err, streams.ErrTooManyReactions) {
			t.Errorf("51st reaction: got error %v, want ErrTooManyReactions", err)
		}
	})
}

func TestDeletionErasesText(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		id := post(t, store, "lobby", "a secret").Cursor.ID
		post(t, store, "lobby", "plain")
		edit := amend(t, store, streams.Edit, id, "an edited secret").Cursor
		amend(t, store, streams.React, id, "👍")
		last := amend(t, store, streams.Edit, id, "the last secret").Cursor
		f := follow(t, store, "lobby", streams.Newest(50))
		f.expect(5)
		amend(t, store, streams.Delete, id, "")
		f.expect(6)
		if all := dump(t, backend); strings.Contains(all, "secret") || !strings.Contains(all, "plain") {
			t.Errorf("Redis has %s, want \"plain\" and no secret", all)
		}
		// The window and cached reads must not have the text either.
		late := follow(t, store, "lobby", streams.After(streams.Cursor{}))
		late.expect(3)
		if got := texts(late.entries); strings.Contains(got, "secret") {
			t.Errorf("a new reader got %q, want no secret", got)
		}
		for _, cursor := range []streams.Cursor{{ID: id, Epoch: last.Epoch}, edit, last} {
			back := follow(t, store, "lobby", streams.After(cursor))
			if got := back.nextState(); got.State != streams.Resumed || got.At != cursor {
				t.Errorf("follow after the erased %v: got %v, want resumed there", cursor, got)
			}
		}
	})
}

func TestAppendAfterRun(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store, err := streams.Open(context.Background(), streams.Options{Redis: server.Redis()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- store.Run(ctx) }()
	post(t, store, "lobby", "x")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	entry := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), User: ada, Text: "late"}
	if _, err := store.As(entry.User).Append(context.Background(), "lobby", entry); !errors.Is(err, streams.ErrUnavailable) {
		t.Errorf("append after Run returned: got error %v, want ErrUnavailable", err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}
