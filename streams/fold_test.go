package streams_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"burble/streams"

	"github.com/google/uuid"
)

// A foldedRoom is a room's messages in their current state, with edits, reactions and deletions applied by
// the rules of the protocol.
type foldedRoom struct {
	messages []streams.Entry
	at       map[streams.ID]int // index in messages
}

func (r *foldedRoom) fold(entry streams.Entry) {
	if r.at == nil {
		r.at = make(map[streams.ID]int)
	}
	if entry.Kind == streams.Message {
		if _, known := r.at[entry.ID]; !known {
			r.at[entry.ID] = len(r.messages)
			r.messages = append(r.messages, entry)
		}
		return
	}
	i, known := r.at[entry.Of]
	if !known {
		return
	}
	message := &r.messages[i]
	switch entry.Kind {
	case streams.Edit:
		message.Text, message.Edited = entry.Text, entry.ID
	case streams.Delete:
		*message = streams.Entry{
			ID: message.ID, Number: message.Number, Kind: streams.Message, Key: message.Key,
			User: message.User, ReplyTo: message.ReplyTo, Deleted: true,
		}
	case streams.React:
		users := slices.DeleteFunc(slices.Clone(message.Reactions[entry.Emoji]), func(id string) bool { return id == entry.User.ID })
		if entry.On {
			users = append(users, entry.User.ID)
		}
		reactions := make(map[string][]string)
		for emoji, by := range message.Reactions {
			reactions[emoji] = by
		}
		if reactions[entry.Emoji] = users; len(users) == 0 {
			delete(reactions, entry.Emoji)
		}
		if message.Reactions = reactions; len(reactions) == 0 {
			message.Reactions = nil
		}
	}
}

// expect fails the test unless got equals want.
func (r *foldedRoom) expect(t *testing.T, what string, got, want []streams.Entry) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %d messages, want %d", what, len(got), len(want))
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("%s: message %d: got\n%+v, want\n%+v", what, i, got[i], want[i])
		}
	}
}

// appendRandom appends count random entries to the lobby, and returns the room that results from them.
func appendRandom(t *testing.T, store *streams.Store, random *rand.Rand, count int) *foldedRoom {
	t.Helper()
	r := &foldedRoom{}
	people := []streams.User{ada, bob, {ID: "33333333-3333-4333-8333-333333333333", Name: "Eve"}}
	for n := range count {
		entry := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), User: people[random.IntN(3)], Text: fmt.Sprint("text ", n)}
		if len(r.messages) > 0 {
			target := r.messages[max(random.IntN(len(r.messages)), random.IntN(len(r.messages)))]
			switch chance := random.IntN(10); {
			case chance < 4:
			case target.Deleted, chance == 4:
				entry.ReplyTo = target.ID
			case chance < 7:
				entry.Kind, entry.Of, entry.Text = streams.React, target.ID, ""
				entry.Emoji, entry.On = []string{"👍", "1", "\"/"}[random.IntN(3)], random.IntN(3) > 0
			case chance < 9:
				entry.Kind, entry.Of, entry.User = streams.Edit, target.ID, target.User
			default:
				entry.Kind, entry.Of, entry.User, entry.Text = streams.Delete, target.ID, target.User, ""
				nextMillisecond()
			}
		}
		stored, err := store.As(entry.User).Append(context.Background(), "lobby", entry)
		if err != nil {
			t.Fatal(err)
		}
		entry.ID, entry.Number = stored.Cursor.ID, int64(n+1)
		r.fold(entry)
	}
	return r
}
