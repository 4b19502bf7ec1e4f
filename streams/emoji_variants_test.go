package streams_test

import (
	"context"
	"slices"
	"testing"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

// Servers normalize emoji before they append them. Older releases did not, so a message may have reactions
// whose emoji differ only in variation selectors.
func TestReactionsIgnoreVariationSelectors(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		ctx := context.Background()
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		of := post(t, store, "lobby", "hello").Cursor.ID
		react := func(user streams.User, emoji string, on bool) map[string][]string {
			t.Helper()
			entry := streams.Entry{Kind: streams.React, Key: uuid.NewString(), Of: of, Emoji: emoji, On: on}
			if _, err := store.As(user).Append(ctx, "lobby", entry); err != nil {
				t.Fatal(err)
			}
			page, err := store.As(user).Page(ctx, "lobby", streams.PageQuery{Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			return page.Entries[0].Reactions
		}
		react(ada, "☺", true)
		if got := react(bob, "☺\ufe0f", true); len(got) != 1 || !slices.Equal(got["☺"], []string{ada.ID, bob.ID}) {
			t.Errorf("after two users reacted: got %q, want both users under ☺", got)
		}
		if got := react(ada, "☺\ufe0f", false); len(got) != 1 || !slices.Equal(got["☺"], []string{bob.ID}) {
			t.Errorf("after one user removed the reaction: got %q, want Bob under ☺", got)
		}
		react(bob, "☺\ufe0f", false)
		if got := react(bob, "☺\ufe0f", true); len(got) != 1 || len(got["☺\ufe0f"]) != 1 {
			t.Errorf("after Bob reacted again: got %q, want one user under ☺\\ufe0f", got)
		}
	})
}

func TestReactionsOfOlderReleaseAreMerged(t *testing.T) {
	t.Parallel()
	fx := newFixture(t, streams.Options{})
	of := fx.stored[0].Cursor.ID
	fx.do("HSET", lobbyKey+":amended", of.String(), `{"r":{"☺":["a","b"],"☺\ufe0f":["b","c"],"👍":["a"]},"m":{"☺":2,"👍":1}}`)
	page, err := fx.store.As(ada).Page(context.Background(), "lobby", streams.PageQuery{Before: fx.stored[1].Cursor.ID, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	got := page.Entries[0]
	if len(got.Reactions) != 2 || !slices.Equal(got.Reactions["☺\ufe0f"], []string{"b", "c", "a"}) || got.MoreUsers["☺\ufe0f"] != 2 || got.MoreUsers["👍"] != 1 {
		t.Errorf("got reactions %q and more users %v, want b, c, a and 2 more for ☺\\ufe0f, and 1 more for 👍", got.Reactions, got.MoreUsers)
	}
}
