package chat

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"burble/app/identity"
	"burble/app/protocol"
	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

// write stores messages of the user in the room.
func write(t *testing.T, s *Service, user identity.User, room string, count int) {
	t.Helper()
	var running sync.WaitGroup
	for i := range count {
		running.Go(func() {
			entry := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: fmt.Sprint(user.Name, " ", i)}
			if _, err := s.Append(user, "192.0.2.1", room, entry); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
}

// left returns how many messages of the user the room has.
func left(t *testing.T, s *Service, reader, user identity.User, room string) (count int) {
	t.Helper()
	query := streams.PageQuery{Limit: 500}
	for {
		page, err := s.Page(t.Context(), reader, room, query)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range page.Entries {
			if entry.User.ID == user.ID && !entry.Deleted {
				count++
			}
		}
		if query.Before = page.Older; page.Older.IsZero() {
			return count
		}
	}
}

// run runs the service until the test ends or stop is called.
func run(t *testing.T, s *Service) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { s.Run(ctx); close(ended) }()
	stop = sync.OnceFunc(func() { cancel(); <-ended })
	t.Cleanup(stop)
	return stop
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("timed out waiting for %s", what)
		}
	}
}

func TestRemoveAllMessagesOfAUser(t *testing.T) {
	t.Parallel()
	redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
		directory := people{}
		s := startWithPeople(t, backend.Redis, directory)
		ada, spammer, mo := directory.add("Ada", identity.Account), directory.add("Spammer", identity.Account), directory.add("Mo", identity.Moderator)
		room := create(t, s, ada, protocol.NewRoom{Kind: "private", Title: "Launch", Members: []string{spammer.ID, mo.ID}})
		foreign := create(t, s, ada, protocol.NewRoom{Kind: "private", Title: "Without moderators", Members: []string{spammer.ID}})
		rooms := []string{room, "lobby", "launch", foreign}
		for _, one := range rooms {
			write(t, s, ada, one, 5)
			write(t, s, spammer, one, 250)
		}
		for room, by := range map[string]identity.User{room: spammer, "": ada, "lobby": ada} {
			if err := s.RemoveMessages(by, room, spammer.ID); !errors.Is(err, streams.ErrNotModerator) {
				t.Errorf("%q by %s: got error %v, want ErrNotModerator", room, by.Name, err)
			}
		}
		if err := s.RemoveMessages(mo, foreign, spammer.ID); !errors.Is(err, streams.ErrHidden) {
			t.Errorf("in a room that the moderator may not see: got error %v, want ErrHidden", err)
		}
		run(t, s)
		if err := s.RemoveMessages(ada, room, spammer.ID); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the removal in a room", func() bool { return left(t, s, ada, spammer, room) == 0 })
		if count := left(t, s, ada, spammer, "lobby"); count != 250 {
			t.Errorf("another room has %d messages, want 250", count)
		}
		if err := s.RemoveMessages(mo, "", spammer.ID); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the removal everywhere", func() bool {
			jobs, err := s.store.Jobs(t.Context())
			return err == nil && len(jobs) == 0 && left(t, s, ada, spammer, "lobby")+left(t, s, ada, spammer, "launch") == 0
		})
		if count := left(t, s, ada, spammer, foreign); count != 250 {
			t.Errorf("a room that the moderator may not see has %d messages, want 250", count)
		}
		for _, one := range rooms {
			if count := left(t, s, ada, ada, one); count != 5 {
				t.Errorf("%d messages of another user are left, want 5", count)
			}
		}
	})
}

// A server that dies in the middle of a removal does not finish it. Another server continues.
func TestRemovalContinuesOnAnotherServer(t *testing.T) {
	t.Parallel()
	redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
		directory := people{}
		s := startWithPeople(t, backend.Redis, directory)
		mo, spammer := directory.add("Mo", identity.Moderator), directory.add("Spammer", identity.Account)
		write(t, s, spammer, "lobby", 450)
		if err := s.RemoveMessages(mo, "lobby", spammer.ID); err != nil {
			t.Fatal(err)
		}
		job := &removal{User: spammer.ID, By: mo.ID, Room: "lobby", Rooms: []string{"lobby"}, IsScanned: true}
		ctx := t.Context()
		for range 2 { // two steps of the server that dies
			if done, err := s.removeSome(ctx, job); done || err != nil {
				t.Fatalf("removeSome returned %v, %v", done, err)
			}
		}
		if err := s.store.SaveJob(ctx, job.id(), job.encode()); err != nil {
			t.Fatal(err)
		}
		if count := left(t, s, mo, spammer, "lobby"); count != 250 {
			t.Fatalf("after two steps, %d messages are left, want 250", count)
		}
		run(t, startWithPeople(t, backend.Redis, directory))
		eventually(t, "the rest of the removal", func() bool {
			jobs, err := s.store.Jobs(ctx)
			return err == nil && len(jobs) == 0 && left(t, s, mo, spammer, "lobby") == 0
		})
	})
}

// A removal ends if the moderator is no longer one.
func TestRemovalNeedsAModeratorUntilTheEnd(t *testing.T) {
	t.Parallel()
	directory := people{}
	s := startWithPeople(t, newMiniredis(t), directory)
	mo, spammer := directory.add("Mo", identity.Moderator), directory.add("Spammer", identity.Account)
	write(t, s, spammer, "lobby", 3)
	for _, room := range []string{"lobby", ""} {
		if err := s.RemoveMessages(mo, room, spammer.ID); err != nil {
			t.Fatal(err)
		}
	}
	directory[mo.ID] = identity.User{ID: mo.ID, Name: mo.Name, Rank: identity.Account}
	run(t, s)
	eventually(t, "the end of the jobs", func() bool {
		jobs, err := s.store.Jobs(t.Context())
		return err == nil && len(jobs) == 0
	})
	if count := left(t, s, mo, spammer, "lobby"); count != 3 {
		t.Errorf("%d messages are left, want 3", count)
	}
}
