//go:build unix

package streams_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"

	"burble/streams"
	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

func TestReplicaDurability(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	primary := startPrimary(t)
	store := redistest.Open(t, streams.Options{Redis: primary.Redis(), Durability: streams.Replica})
	entry := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), User: ada, Text: "x"}
	if _, err := store.As(entry.User).Append(context.Background(), "lobby", entry); !errors.Is(err, streams.ErrUnavailable) {
		t.Fatalf("Append without a replica: got error %v, want ErrUnavailable", err)
	}
	if err := store.Health(context.Background()); !errors.Is(err, streams.ErrUnavailable) {
		t.Errorf("Health without a replica: got error %v, want ErrUnavailable", err)
	}
	file := streams.File{ID: rand.Text(), Name: "a"}
	if err := store.As(ada).AddFile(context.Background(), "lobby", file); !errors.Is(err, streams.ErrUnavailable) {
		t.Errorf("AddFile without a replica: got error %v, want ErrUnavailable", err)
	}
	owner := store.AsRanked(ada, streams.Owner)
	if _, err := owner.CreatePrivate(context.Background(), "Team", []streams.User{bob}); !errors.Is(err, streams.ErrUnavailable) {
		t.Errorf("CreatePrivate without a replica: got error %v, want ErrUnavailable", err)
	}
	if err := owner.DeleteRoom(context.Background(), "other"); !errors.Is(err, streams.ErrUnavailable) {
		t.Errorf("DeleteRoom without a replica: got error %v, want ErrUnavailable", err)
	}
	expectUnconfirmedDeletion(t, store)
	client := primary.Client()
	defer client.Close()
	first := client.XRange(context.Background(), lobbyKey, "-", "+").Val()

	replica := redistest.StartTCP(t, replicaArgs(t, primary)...)
	var stored streams.Stored
	eventually(t, "a retry to be stored on the replica", func() (ok bool) {
		var err error
		stored, err = store.As(entry.User).Append(context.Background(), "lobby", entry)
		return err == nil
	})
	if len(first) != 1 || !stored.Repeated || stored.Cursor.ID.String() != first[0].ID {
		t.Errorf("retry: got %+v, want the entry of the first append: %v", stored, first)
	}
	post(t, store, "lobby", "y")
	second := replica.Client()
	defer second.Close()
	if n := second.XLen(context.Background(), lobbyKey).Val(); n != 2 {
		t.Errorf("the replica has %d messages, want 2", n)
	}
	if err := store.As(ada).AddFile(context.Background(), "lobby", file); err != nil {
		t.Errorf("AddFile with a replica: got error %v, want none", err)
	}
	if _, err := send(store.As(ada), "lobby", "", file); err != nil {
		t.Error(err)
	}
	if err := store.Health(context.Background()); err != nil {
		t.Errorf("Health with a replica: got error %v, want none", err)
	}
}

// expectUnconfirmedDeletion checks that deleting a private room without a replica removes it from its members' lists.
func expectUnconfirmedDeletion(t *testing.T, store *streams.Store) {
	t.Helper()
	owner, secret, key := store.AsRanked(ada, streams.Owner), []byte("secret"), uuid.NewString()
	room, err := owner.CreatePrivateOnce(t.Context(), secret, key, "Team", []streams.User{bob})
	if !errors.Is(err, streams.ErrUnavailable) {
		t.Errorf("CreatePrivateOnce without a replica: got error %v, want ErrUnavailable", err)
	}
	if again, _ := owner.CreatePrivateOnce(t.Context(), secret, key, "Team", []streams.User{bob}); again != room {
		t.Errorf("CreatePrivateOnce again: got room %q, want %q", again, room)
	}
	if rooms, err := store.As(bob).PrivateRooms(t.Context()); len(rooms) != 2 || err != nil {
		t.Errorf("before the deletion, a member has %d private rooms, %v, want both", len(rooms), err)
	}
	if err := owner.DeleteRoom(t.Context(), room); !errors.Is(err, streams.ErrUnconfirmed) {
		t.Errorf("DeleteRoom without a replica: got error %v, want ErrUnconfirmed", err)
	}
	if rooms, err := store.As(bob).PrivateRooms(t.Context()); len(rooms) != 1 || err != nil {
		t.Errorf("after the deletion, a member has %d private rooms, %v, want 1", len(rooms), err)
	}
	if err := owner.DeleteRoom(t.Context(), room); !errors.Is(err, streams.ErrUnavailable) {
		t.Errorf("DeleteRoom again without a replica: got error %v, want ErrUnavailable", err)
	}
}

// WAIT covers only writes over the same connection. An append that succeeds while all replicas hang must
// have sent WAIT over another connection.
func TestReplicaDurabilityWhileReplicasHang(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	for name, start := range map[string]func(t *testing.T) (at *conns.Address, replicas []*redistest.Node){
		"Sentinel": func(t *testing.T) (*conns.Address, []*redistest.Node) {
			s := redistest.StartSentinel(t)
			return s.Redis(), s.Nodes[1:]
		},
		"Cluster": func(t *testing.T) (*conns.Address, []*redistest.Node) {
			c := redistest.StartCluster(t, 1)
			return c.Redis(), c.Nodes[3:]
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at, replicas := start(t)
			store := redistest.Open(t, streams.Options{Redis: at, Durability: streams.Replica})
			post(t, store, "lobby", "x")
			for _, replica := range replicas {
				replica.Pause()
			}
			entry := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), User: ada, Text: "y"}
			if _, err := store.As(entry.User).Append(context.Background(), "lobby", entry); !errors.Is(err, streams.ErrUnavailable) {
				t.Errorf("Append while the replicas hang: got error %v, want ErrUnavailable", err)
			}
			if err := store.Health(context.Background()); !errors.Is(err, streams.ErrUnavailable) {
				t.Errorf("Health while the replicas hang: got error %v, want ErrUnavailable", err)
			}
			for _, replica := range replicas {
				replica.Resume()
			}
			eventually(t, "a replica to have the message", func() bool {
				stored, err := store.As(entry.User).Append(context.Background(), "lobby", entry)
				return err == nil && stored.Repeated
			})
		})
	}
}
