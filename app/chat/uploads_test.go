package chat

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"burble/app/identity"
	"burble/app/protocol"
	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

// sendFile uploads a file and sends it.
func sendFile(t *testing.T, s *Service, user identity.User, room, name string) streams.ID {
	t.Helper()
	file := streams.File{ID: rand.Text(), Name: name, Type: "text/plain", Size: 7}
	if err := s.CheckUpload(t.Context(), user, "192.0.2.1", room); err != nil {
		t.Fatal(err)
	}
	if err := s.AddFile(t.Context(), user, room, file); err != nil {
		t.Fatal(err)
	}
	message := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Files: []streams.File{{ID: file.ID, Alt: "a Siamese cat"}}}
	stored, err := s.Append(user, "192.0.2.1", room, message)
	if err != nil {
		t.Fatal(err)
	}
	return stored.Cursor.ID
}

func TestSearchFindsFiles(t *testing.T) {
	t.Parallel()
	service := startLimited(t, Options{})
	sendFile(t, service, ada, "lobby", "Résumé of Ada.pdf")
	for query, want := range map[string]int{
		"resume": 1, "SIAMESE resume": 1, `"of ada"`: 1, "resume missing": 0, `"pdf a"`: 0,
	} {
		search, err := service.Search(ada, "192.0.2.1", Query{Room: "lobby", Text: query})
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		if _, _, err := search.Run(func(entry *streams.Entry) bool { found++; return true }); err != nil || found != want {
			t.Errorf("%s: found %d messages, %v, want %d", query, found, err, want)
		}
		search.Close()
	}
}

func TestUploadsAreLimited(t *testing.T) {
	t.Parallel()
	service := startLimited(t, Options{MessageRate: 1, ByteRate: 10})
	count := func(address string, user func(i int) identity.User) (allowed int) {
		for i := range 100 {
			err := service.CheckUpload(t.Context(), user(i), address, "lobby")
			if refused := (*protocol.Error)(nil); errors.As(err, &refused) && refused.Code == protocol.RateLimited {
				return i
			} else if err != nil {
				t.Fatal(err)
			}
		}
		return 100
	}
	if got := count("192.0.2.1", func(int) identity.User { return ada }); got != 1 {
		t.Errorf("an address with a burst of 640 bytes was allowed %d uploads, want 1", got)
	}
	service = startLimited(t, Options{MessageRate: 1})
	if got := count("192.0.2.1", func(int) identity.User { return ada }); got != 4 {
		t.Errorf("one user was allowed %d uploads at once, want 4", got)
	}
	if err := service.CheckUpload(t.Context(), identity.User{}, "192.0.2.1", "lobby"); protocol.AsError(err).Code != protocol.NotAllowed {
		t.Errorf("a visitor without a name: got error %v, want not_allowed", err)
	}
	if _, err := service.Append(ada, "192.0.2.1", "lobby", streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: "hi"}); err != nil {
		t.Errorf("a message after too many uploads: got error %v, want none", err)
	}
}

// Every deletion of a message with files is reported, and a moderator's deletion is also recorded in the audit log.
func TestDeletedFilesAreReported(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var rooms []string
	reported := func() []string { mu.Lock(); defer mu.Unlock(); return slices.Clone(rooms) }
	directory := people{}
	moderator := directory.add("Mo", identity.Moderator)
	store := redistest.Open(t, streams.Options{Redis: redistest.Single(t).Redis})
	service := New(store, Options{
		Directory:      directory,
		OnFilesDeleted: func(room string) { mu.Lock(); defer mu.Unlock(); rooms = append(rooms, room) },
	})
	own, others := sendFile(t, service, ada, "one", "a"), sendFile(t, service, ada, "two", "b")
	sendFile(t, service, ada, "three", "c")
	plain, err := service.Append(ada, "", "four", streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: "x"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		by   identity.User
		room string
		of   streams.ID
	}{{ada, "four", plain.Cursor.ID}, {ada, "one", own}, {moderator, "two", others}} {
		deletion := streams.Entry{Kind: streams.Delete, Key: uuid.NewString(), Of: test.of}
		for range 2 { // the second is a retry
			if _, err := service.Append(test.by, "", test.room, deletion); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := reported(); fmt.Sprint(got) != "[one two]" {
		t.Errorf("got reports of %v, want one and two", got)
	}
	audited, err := store.AsRanked(streams.User{ID: "x"}, streams.Moderator).AuditLog(t.Context(), streams.ID{}, 10)
	if err != nil || len(audited) != 1 || audited[0].Action != protocol.ActionDelete || audited[0].Member.ID != ada.ID || audited[0].Room != "two" {
		t.Errorf("got the audit log %+v, %v, want the moderator's deletion", audited, err)
	}
	run(t, service)
	if err := service.RemoveMessages(moderator, "three", ada.ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a report of the removal", func() bool { return fmt.Sprint(reported()) == "[one two three]" })
}
