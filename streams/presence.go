package streams

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// ServerTimeout is how long a server is considered alive after its last Heartbeat. After that,
// RemoveDeadServers removes the people who are present through it.
const ServerTimeout = 60 * time.Second

// In a room with up to MaxNamed people, signals name each person who joins or leaves. A larger number of people is a
// crowd: signals then report only the number, at most once per CountInterval.
const (
	MaxNamed      = 100
	CountInterval = 10 * time.Second
)

// removeBatchSize is how many rooms RemoveServer updates in one round trip.
const removeBatchSize = 100

// An Arrival is a user who becomes present, with the name that they use on one connection. If a user's
// connections have different names, the name with the latest NamedAt wins. NamedAt is compared in whole seconds.
type Arrival struct {
	User
	NamedAt time.Time
}

// A PresenceChange is a change to the people who are present in a room through a server.
type PresenceChange struct {
	Room string
	Here []Arrival
	Gone []User
	// SignalCount signals the number of people, unless the room is a crowd whose number was signaled less than
	// CountInterval ago.
	SignalCount bool
}

// PresenceOutcome is the outcome of a PresenceChange. CountDue means that the number of people in a
// crowd changed less than CountInterval after it was last signaled. The caller must then make a
// change with SignalCount once that interval has passed.
type PresenceOutcome struct {
	CountDue bool
	Err      error
}

// UpdatePresence makes the changes, each in a different room, in two round trips to Redis. It signals arrivals,
// departures and new names to the rooms' readers. Users stay present as long as the server calls Heartbeat in time.
func (s *Store) UpdatePresence(ctx context.Context, server string, changes ...PresenceChange) []PresenceOutcome {
	outcomes := make([]PresenceOutcome, len(changes))
	var entered []any
	for _, change := range changes {
		if len(change.Here) > 0 {
			entered = append(entered, change.Room)
		}
	}
	// Record the server's rooms first, because RemoveServer reads them.
	if len(entered) > 0 {
		if err := s.redis.Retrying.SAdd(ctx, s.keys.serverRooms(server), entered...).Err(); err != nil {
			return failAll(outcomes, err)
		}
	}
	calls := make([]conns.Call, len(changes))
	for i, change := range changes {
		mode := ""
		if change.SignalCount {
			mode = "signal_count"
		}
		calls[i] = s.presenceCall(change.Room, server, mode)
		for _, user := range change.Here {
			calls[i].Args = append(calls[i].Args, "here", user.ID, user.Name, user.NamedAt.Unix())
		}
		for _, user := range change.Gone {
			calls[i].Args = append(calls[i].Args, "gone", user.ID, "", "")
		}
	}
	replies, err := s.redis.RunScripts(ctx, calls...)
	if err != nil {
		return failAll(outcomes, err)
	}
	for i, reply := range replies {
		countDue, err := reply.Bool()
		outcomes[i].CountDue = countDue
		if err != nil {
			outcomes[i].Err = fmt.Errorf("update presence in room %q: %w", changes[i].Room, wrap(err))
		}
	}
	return outcomes
}

func failAll(outcomes []PresenceOutcome, err error) []PresenceOutcome {
	for i := range outcomes {
		outcomes[i].Err = fmt.Errorf("update presence: %w", wrap(err))
	}
	return outcomes
}

// presenceCall returns a call of presence.lua, which documents the modes.
func (s *Store) presenceCall(room, server, mode string) conns.Call {
	return conns.Call{
		Script: presenceScript, Weight: 1,
		Keys: []string{s.keys.present(room), s.keys.activity(bucketOf(room)), s.keys.countSignaled(room)},
		Args: []any{room, server, mode, MaxNamed, CountInterval.Milliseconds()},
	}
}

// Present lists the people who are present in a room: their number, and up to MaxNamed of them.
type Present struct {
	Count  int
	People []User
	Err    error

	window *window // the room's window, or nil if the room has no readers in this process
	seen   uint64  // window.presenceSignals before the people were read
}

// IsOutdated reports whether the room's readers in this process may have received a signal that Count
// and People do not reflect.
func (p Present) IsOutdated() bool {
	return p.window != nil && p.window.presenceSignals.Load() != p.seen
}

// A PresenceQuery is a request by one user for the people who are present in a room.
type PresenceQuery struct {
	By   Access
	Room string
}

// Present returns the people who are present in the room.
func (a Access) Present(ctx context.Context, room string) Present {
	return a.store.Present(ctx, PresenceQuery{a, room})[0]
}

// Present returns the people who are present in each of the rooms, in one round trip to Redis. It reads
// each room once.
func (s *Store) Present(ctx context.Context, queries ...PresenceQuery) []Present {
	found := make([]Present, len(queries))
	granted := make([]grant, len(queries))
	for i, query := range queries {
		granted[i], found[i].Err = query.By.admit(query.Room, reading)
	}
	members := make([]*redis.StringCmd, len(queries))
	rooms := make(map[string]*presentQuery)
	err := s.redis.Pipeline(ctx, len(queries), func(pipe redis.Pipeliner) {
		for i, one := range granted {
			if one.room == "" {
				continue // refused
			}
			if rooms[one.room] == nil {
				rooms[one.room] = s.queryPresent(ctx, pipe, one)
			}
			members[i] = s.queryMember(ctx, pipe, one)
		}
	})
	for i := range found {
		switch {
		case found[i].Err != nil:
		case err != nil:
			found[i].Err = wrap(err)
		default:
			if found[i].Err = checkMember(members[i]); found[i].Err == nil {
				found[i] = rooms[granted[i].room].result()
			}
		}
	}
	return found
}

// presentQuery is a query for a Present, as part of a pipeline.
type presentQuery struct {
	present Present
	room    string
	total   *redis.IntCmd
	sample  *redis.ScanCmd
	// result decodes the replies, once for all queries to the room. The pipeline must have been executed.
	result func() Present
}

func (s *Store) queryPresent(ctx context.Context, pipe redis.Pipeliner, granted grant) *presentQuery {
	q := &presentQuery{room: granted.room}
	if w := s.window(granted.room); w != nil {
		q.present.window, q.present.seen = w, w.presenceSignals.Load()
	}
	key := s.keys.present(granted.room)
	q.total, q.sample = pipe.HLen(ctx, key), pipe.HScan(ctx, key, 0, "", MaxNamed)
	q.result = sync.OnceValue(q.decode)
	return q
}

func (q *presentQuery) decode() Present {
	present := q.present
	if err := errors.Join(q.total.Err(), q.sample.Err()); err != nil {
		present.Err = fmt.Errorf("read the people present in room %q: %w", q.room, wrap(err))
		return present
	}
	present.Count = int(q.total.Val())
	people, _ := q.sample.Val()
	for k := 0; k+1 < len(people) && len(present.People) < MaxNamed; k += 2 {
		var person struct{ Name string }
		if json.Unmarshal([]byte(people[k+1]), &person) == nil {
			present.People = append(present.People, User{people[k], person.Name})
		}
	}
	return present
}

// Heartbeat records that the server is alive until the timeout has passed. It returns
// known = false if the server is new or was removed as dead, or if the outcome is unknown. The
// server must then record its people again with UpdatePresence.
func (s *Store) Heartbeat(ctx context.Context, server string, timeout time.Duration) (known bool, err error) {
	key := s.keys.servers()
	// If go-redis retried, the retry would report the server as known.
	node, err := conns.Node(ctx, s.redis.Unretried, key)
	var added bool
	if err == nil {
		added, err = heartbeatScript.Run(ctx, node, []string{key}, server, timeout.Milliseconds()).Bool()
	}
	if err != nil {
		return false, fmt.Errorf("record the heartbeat: %w", wrap(err))
	}
	return !added, nil
}

// RemoveDeadServers calls RemoveServer for servers whose heartbeat has expired.
func (s *Store) RemoveDeadServers(ctx context.Context) error {
	dead, err := deadServersScript.Run(ctx, s.redis.Retrying, []string{s.keys.servers()}).StringSlice()
	if err != nil {
		return fmt.Errorf("find dead servers: %w", wrap(err))
	}
	for _, server := range dead {
		if err := s.RemoveServer(ctx, server); err != nil {
			return err
		}
	}
	return nil
}

// RemoveServer removes all users who are present through the server, and then the server's own records.
// Repeated and concurrent calls are safe.
func (s *Store) RemoveServer(ctx context.Context, server string) error {
	rooms, err := s.redis.Retrying.SMembers(ctx, s.keys.serverRooms(server)).Result()
	if err != nil {
		return fmt.Errorf("list the rooms of a server: %w", wrap(err))
	}
	for chunk := range slices.Chunk(rooms, removeBatchSize) {
		calls := make([]conns.Call, len(chunk))
		for i, room := range chunk {
			calls[i] = s.presenceCall(room, server, "server_lost")
		}
		replies, err := s.redis.RunScripts(ctx, calls...)
		for _, reply := range replies {
			err = errors.Join(err, reply.Err())
		}
		if err != nil {
			return fmt.Errorf("remove a server from its rooms: %w", wrap(err))
		}
	}
	if err := s.redis.Retrying.Del(ctx, s.keys.serverRooms(server)).Err(); err != nil {
		return fmt.Errorf("remove a server: %w", wrap(err))
	}
	if err := s.redis.Retrying.ZRem(ctx, s.keys.servers(), server).Err(); err != nil {
		return fmt.Errorf("remove a server: %w", wrap(err))
	}
	return nil
}
