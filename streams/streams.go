// Package streams keeps chat rooms in Redis Streams.
//
// A room is one stream, and each event in the room is one entry. The entry ID that Redis assigns is
// the event's identity, its time, and the cursor from which a client resumes. The state of every room
// is in Redis, so any process can serve any room.
//
//	store, err := streams.Open(ctx, streams.Options{Redis: redisOptions})
//	go store.Run(ctx) // and wait for it
//	access := store.As(streams.User{ID: uuid.NewString(), Name: "Ada"})
//	stored, err := access.Append(ctx, "lobby", streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: "Hello"})
//	reader, err := access.Follow("lobby", streams.After(stored.Cursor), onReadable)
//
// [Open] returns a [Store], whose Run method reads new entries and sends appends. Store.As
// returns an [Access] for one user, which appends entries, reads pages, and follows rooms. Every
// batch that a [Reader] returns has a start and an end, and starts where the previous batch
// ended. If that is impossible, because entries were trimmed or Redis lost data, the
// Reader reports a [State].
//
// A Store and an Access are safe for concurrent use. A Reader may be used by one goroutine at
// a time. README.md lists the guarantees and the keys in Redis, and has a glossary.
package streams

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
	"golang.org/x/time/rate"
)

// Durability determines where an entry must be stored before Append returns.
type Durability string

// The durabilities.
const (
	Memory  Durability = "memory"  // Redis has the entry in memory
	Replica Durability = "replica" // a replica has it too (WAIT 1)
	Disk    Durability = "disk"    // it is in the append-only file, and fsynced
)

// Options configure a Store.
type Options struct {
	Redis  *conns.Address
	Prefix string // prefix of every key
	Mode   Mode   // what users without an account may do

	MaxCount   int64         // entries to keep in each room; 0 means all
	MaxAge     time.Duration // how long to keep entries; 0 means forever
	Durability Durability    // empty means Memory

	// Wait is how long Open waits for Redis to become usable. If it is 0, Open tries once.
	Wait time.Duration
	Log  *slog.Logger // if nil, nothing is logged

	// OnStatus, if set, is called with true when Redis becomes unreachable, and with false
	// when it is reachable again.
	OnStatus func(away bool)
}

// Errors returned by a Store. The Store wraps every error from Redis or the network in one of them.
var (
	// ErrUnavailable means that Redis did not answer, or returned an unexpected error. If
	// Append returns it, the entry may have been stored, and a retry with the same key is safe.
	ErrUnavailable = errors.New("storage is unavailable")
	// ErrUnconfirmed wraps ErrUnavailable. It means that Redis has made the change, but that no replica has
	// confirmed it, which the durability Replica requires. A failover may undo the change.
	ErrUnconfirmed = fmt.Errorf("%w: no replica has confirmed the change", ErrUnavailable)
	// ErrFull means that Redis has no memory or disk space left for the entry.
	ErrFull = errors.New("storage is full")
	// ErrUnusable means that Open could not reach Redis, or that Redis lacks something a Store needs.
	ErrUnusable = errors.New("redis cannot be used")
)

// Store keeps rooms in one Redis.
type Store struct {
	keys      keys
	inCluster bool
	log       *slog.Logger

	// as in Options
	mode     Mode
	maxCount int64
	maxAge   time.Duration
	onStatus func(away bool)

	// Reads use redis.Retrying, appends use redis.Unretried, and each tail blocks on a connection
	// of redis.Blocking.
	redis       *conns.Set
	tails       []*tail
	appenders   []*appender
	sharedReads *sharedReads
	lastStored  lastStored
	stopped     chan struct{} // closed when Run has returned
	health      health
	eviction    eviction

	mu              sync.Mutex // locked before a window's mu
	windows         map[string]*window
	maxWindowsBytes int // approximate limit for all windows together
}

// Open connects to Redis and checks that it supports everything the options require. The caller must
// call Run once, and close the Store after Run has returned.
func Open(ctx context.Context, options Options) (*Store, error) {
	if options.Durability == "" {
		options.Durability = Memory
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{
		keys:      keys{options.Prefix},
		inCluster: options.Redis.InCluster(),
		log:       options.Log,

		mode:     options.Mode,
		maxCount: options.MaxCount,
		maxAge:   options.MaxAge,
		onStatus: options.OnStatus,

		sharedReads: newSharedReads(maxSharedReads),
		stopped:     make(chan struct{}),
		lastStored:  lastStored{seed: maphash.MakeSeed()},
		windows:     make(map[string]*window),

		maxWindowsBytes: maxWindowsBytes,
		eviction:        eviction{logs: rate.Sometimes{Interval: evictionInterval}},
	}
	groups := [][]int{allBuckets()}
	if s.inCluster {
		// In a Cluster, all keys of a command must be in one slot, and therefore in one bucket.
		groups = groups[:0]
		for _, bucket := range allBuckets() {
			groups = append(groups, []int{bucket})
		}
	}
	s.redis = conns.New(conns.Options{Redis: options.Redis, Stream: s.keys.activity(0), Blocking: len(groups), Replicate: options.Durability == Replica})
	for _, group := range groups {
		appender := newAppender(s)
		s.appenders = append(s.appenders, appender)
		s.tails = append(s.tails, newTail(s, appender, group))
	}
	slow := time.AfterFunc(slowOpen, func() { s.log.Info("redis is slow to answer", "after", slowOpen.String()) })
	defer slow.Stop()
	if err := s.awaitRedis(ctx, options.Wait); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if options.Durability == Disk {
		if err := s.checkFsync(ctx); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	if err := seekActivityEnd(ctx, s.redis.Retrying, s.tails...); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.checkEviction(ctx)
	return s, nil
}

// Run reads new entries and sends appends until ctx ends. It is called once.
func (s *Store) Run(ctx context.Context) error {
	var running sync.WaitGroup
	for _, tail := range s.tails {
		running.Go(func() { tail.run(ctx) })
	}
	for _, appender := range s.appenders {
		running.Go(func() { appender.run(ctx) })
	}
	running.Go(func() { s.sweep(ctx) })
	running.Go(func() { s.watchEviction(ctx, time.Tick(evictionInterval)) })
	<-ctx.Done()
	err := s.redis.CloseBlocking()
	running.Wait()
	close(s.stopped)
	return err
}

// Close closes the connections to Redis. Run must have returned.
func (s *Store) Close() error {
	s.sharedReads.close()
	return s.redis.Close()
}

// Secret returns the signing key that all servers on this Redis share. The first call
// creates it.
func (s *Store) Secret(ctx context.Context) ([]byte, error) {
	secret, err := s.redis.Retrying.Get(ctx, s.keys.secret()).Bytes()
	if errors.Is(err, redis.Nil) { // write only if there is no secret, because Redis may be full
		if err := s.redis.Unretried.SetNX(ctx, s.keys.secret(), rand.Text()+rand.Text(), 0).Err(); err != nil {
			return nil, fmt.Errorf("create the shared secret: %w", wrap(err))
		}
		secret, err = s.redis.Retrying.Get(ctx, s.keys.secret()).Bytes()
	}
	if err != nil {
		return nil, fmt.Errorf("read the shared secret: %w", wrap(err))
	}
	return secret, nil
}

// wrap wraps an error from Redis or the network in one of this package's errors.
func wrap(err error) error {
	switch {
	case err == nil:
		return nil
	case conns.IsFull(err):
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
