// Package streams keeps chat rooms in Redis Streams.
//
// A room is one stream and an event in it is one entry. The entry ID that Redis
// gives is the event's identity, its time, and the cursor a client resumes from.
// No room lives in this process: any process serves any room.
//
//	rooms := store.As(ada)
//	stored, err := rooms.Append(ctx, "lobby", streams.Entry{Kind: streams.Message, Key: key, Text: "hi"})
//
//	reader, err := rooms.Follow("lobby", streams.After(cursor), ready)
//	defer reader.Close()
//	read, err := reader.Next(ctx) // nothing yet? ready is called when there is
//
// Every read says where it starts and where it ends, and each starts where the
// one before ended. When that cannot be (the place was trimmed away, or Redis
// lost data) the reader is told so, see [State].
//
// A Store may be used from many goroutines at once, a [Reader] from one.
package streams

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// Durability is what an append waits for before it is called stored.
type Durability string

// The durabilities.
const (
	Memory  Durability = "memory"  // Redis took it in
	Replica Durability = "replica" // and so did one replica (WAIT 1)
	Disk    Durability = "disk"    // it is in the append-only file, fsynced
)

// Options say which Redis a Store uses, and how.
type Options struct {
	// Redis says where and who. Pool sizes, timeouts and retries are the Store's own.
	Redis  *redis.UniversalOptions
	Prefix string // before every key

	MaxCount   int64         // entries to keep in each room; 0: all
	MaxAge     time.Duration // how long to keep them; 0: for ever
	Durability Durability    // empty: Memory

	// Wait is how long Open waits for a Redis that does not answer; 0: it asks once.
	Wait time.Duration
	Log  *slog.Logger

	// OnStatus, if set, is called when Redis goes away (true) and when it is back.
	OnStatus func(away bool)
}

// Errors of a Store. All that Redis says is wrapped in one of them.
var (
	// ErrUnavailable: Redis did not answer, or not as asked. An append that ends
	// with it may have been stored; the same key tells.
	ErrUnavailable = errors.New("storage is unavailable")
	// ErrFull: Redis has no memory left for what was to be stored.
	ErrFull = errors.New("storage is full")
	// ErrUnusable: Open found no Redis, or one that does not grant what it needs.
	ErrUnusable = errors.New("redis cannot be used")
)

// Store keeps rooms in one Redis. Open makes it, Run drives it.
type Store struct {
	options Options
	keys    keys
	log     *slog.Logger

	// Reads use redis.Retrying, appends redis.Unretried, and each tail blocks on one
	// connection of redis.Blocking.
	redis   *conns.Set
	tails   []*tail
	lanes   []*lane
	flights *flights
	ended   chan struct{} // closed when Run has returned
	health  health

	mu           sync.Mutex
	windows      map[string]*window
	windowsBytes int // what all of them may hold, about
}

// Open connects to Redis and checks that it can do what the options ask. The
// caller closes the Store after its Run has returned.
func Open(ctx context.Context, options Options) (*Store, error) {
	if options.Durability == "" {
		options.Durability = Memory
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{
		options: options,
		keys:    keys{options.Prefix},
		log:     options.Log,
		flights: newFlights(conns.MaxRetrying - 1),
		ended:   make(chan struct{}),
		windows: make(map[string]*window),

		windowsBytes: windowsBytes,
	}
	groups := [][]int{everyBucket()}
	if conns.InCluster(options.Redis) {
		// A command's keys share a slot there, and so a bucket.
		groups = groups[:0]
		for _, bucket := range everyBucket() {
			groups = append(groups, []int{bucket})
		}
	}
	s.redis = conns.New(conns.Options{Redis: options.Redis, Stream: s.keys.activity(0), Blocking: len(groups)})
	for _, group := range groups {
		lane := newLane(s)
		s.lanes = append(s.lanes, lane)
		s.tails = append(s.tails, newTail(s, lane, group))
	}
	if err := s.wait(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.checkDurability(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func everyBucket() []int {
	all := make([]int, buckets)
	for i := range all {
		all[i] = i
	}
	return all
}

// Run reads what moves and appends what is given, until ctx ends. It is called once.
func (s *Store) Run(ctx context.Context) error {
	var running sync.WaitGroup
	for _, tail := range s.tails {
		running.Go(func() { tail.run(ctx) })
	}
	for _, lane := range s.lanes {
		running.Go(func() { lane.run(ctx) })
	}
	<-ctx.Done()
	err := s.redis.CloseBlocking()
	running.Wait()
	close(s.ended)
	return err
}

// Close closes the connections to Redis. Run has returned by then.
func (s *Store) Close() error {
	s.flights.close()
	return s.redis.Close()
}

// Secret is the signing key that all servers on this Redis share. The first to
// ask makes it.
func (s *Store) Secret(ctx context.Context) ([]byte, error) {
	secret, err := s.redis.Retrying.Get(ctx, s.keys.secret()).Bytes()
	if errors.Is(err, redis.Nil) { // else nothing is written: Redis may be full
		if err := s.redis.Unretried.SetNX(ctx, s.keys.secret(), rand.Text()+rand.Text(), 0).Err(); err != nil {
			return nil, fmt.Errorf("make the shared secret: %w", wrap(err))
		}
		secret, err = s.redis.Retrying.Get(ctx, s.keys.secret()).Bytes()
	}
	if err != nil {
		return nil, fmt.Errorf("read the shared secret: %w", wrap(err))
	}
	return secret, nil
}

// wait asks Redis until it can be used, for options.Wait at most.
func (s *Store) wait(ctx context.Context) error {
	deadline := time.Now().Add(s.options.Wait)
	var last error
	for {
		err := s.tryOut(ctx)
		if err == nil {
			return nil
		}
		first := last == nil
		if first || ctx.Err() == nil { // that the waiting was broken off is no news
			last = err
		}
		if s.refused(err) || ctx.Err() != nil || time.Now().After(deadline) {
			return fmt.Errorf("%w: %w", ErrUnusable, last)
		}
		if first {
			s.log.Info("waiting for redis", "at_most", s.options.Wait.String(), "error", err)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// tryOut asks Redis whether it answers, of all keys that a tail asks at once, and takes
// what every append needs: a script, and a command in it that writes under our prefix. A
// user may have less rights, a host may offer less, and one server of a Cluster has only
// some of the keys.
func (s *Store) tryOut(ctx context.Context) error {
	if err := s.redis.Retrying.Ping(ctx).Err(); err != nil { // what is longer is not understood without a password
		return err
	}
	for _, tail := range s.tails {
		if err := s.redis.Retrying.Exists(ctx, tail.keys...).Err(); err != nil {
			return err
		}
	}
	activity := s.keys.activity(0)
	node, err := conns.Node(ctx, s.redis.Unretried, activity)
	if err != nil {
		return err
	}
	if err := appendScript.Load(ctx, node).Err(); err != nil { // in a pipeline it would forget its hash
		return err
	}
	return node.Eval(ctx, "return redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[1])", []string{activity}, activityKept).Err()
}

// refused says whether waiting cannot help: Redis is there and says no. What it has too
// many of (connections, requests) it may have less of in a moment.
func (s *Store) refused(err error) bool {
	switch {
	case conns.IsReply(err, "ERR max "):
		return false
	case conns.IsReply(err, "MOVED ", "CROSSSLOT "): // which only the client of a Cluster follows
		return !conns.InCluster(s.options.Redis)
	}
	return conns.IsReply(err, "NOAUTH ", "WRONGPASS ", "NOPERM ", "ERR ") || strings.Contains(err.Error(), "x509:")
}

// checkDurability refuses a promise that this Redis cannot keep.
func (s *Store) checkDurability(ctx context.Context) error {
	if s.options.Durability != Disk {
		return nil
	}
	// WAITAOF cannot be asked instead: with everysec Valkey 8 answers before it has synced.
	for _, needed := range [][2]string{{"appendonly", "yes"}, {"appendfsync", "always"}} {
		name, want := needed[0], needed[1]
		values, err := s.redis.Retrying.ConfigGet(ctx, name).Result()
		if err != nil {
			return fmt.Errorf("durability disk: cannot see whether redis has %s %s: %w", name, want, err)
		}
		if values[name] != want {
			return fmt.Errorf("durability disk: redis has %s %s, and needs %s",
				name, strconv.Quote(values[name]), want)
		}
	}
	return nil
}

// wrap turns what Redis or the network said into an error of this package.
func wrap(err error) error {
	switch {
	case err == nil:
		return nil
	case conns.IsReply(err, "OOM "):
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// notify tells the owner that Redis went away or came back.
func (s *Store) notify(away bool) {
	if s.options.OnStatus != nil {
		s.options.OnStatus(away)
	}
}
