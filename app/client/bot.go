package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// ErrNoReply is passed to Disconnected after a Bot closed a connection because an Append got no reply.
var ErrNoReply = errors.New("no reply within 20 s")

// Bot reads rooms and appends to them while Run runs. It survives failures of connections and
// servers. Set its fields before calling Run, and call Run only once.
type Bot struct {
	Servers []*Server // each connection goes to one of them, chosen at random
	Follows []Follow  // the rooms, and where to begin reading; after that, the Bot keeps the cursors

	// Run calls Handle with each frame, in order. Handle must neither call Append nor wait for a
	// goroutine that does, which would deadlock: only Run reads the reply.
	Handle func(Frame)

	// MaxBackoff is the longest pause before a new connection; 0 means 5 s. The pause is random,
	// from zero up to a bound that begins at 100 ms and doubles with each connection that lasted
	// less than 1 s. After close code 1008 the bound is MaxBackoff.
	MaxBackoff time.Duration

	Connected    func(*Socket) // called with each new connection; may be nil
	Disconnected func(error)   // called with the error that ended or prevented a connection; may be nil

	mu      sync.Mutex
	cursors map[string]string
	current *connection
	changed chan struct{} // closed when current changes; nil if no goroutine waits for that
}

// connection is one connection of a Bot.
type connection struct {
	*Socket
	ended    chan struct{} // closed after its last frame was read
	timedOut atomic.Bool   // an Append got no reply in time

	mu      sync.Mutex
	waiting map[string][]chan Frame // one channel for each Append awaiting its reply, by key
}

// Run keeps the Bot connected until ctx ends, and then returns nil. If a server refuses the Bot
// with an error that is final, Run returns it as *Error.
func (b *Bot) Run(ctx context.Context) error {
	for failures := 0; ctx.Err() == nil; failures++ {
		began := time.Now()
		c, err := b.connect(ctx)
		if err == nil {
			err = b.read(ctx, c)
		}
		if time.Since(began) > time.Second {
			failures = 0
		}
		if closed, ok := errors.AsType[*CloseError](err); ok && closed.Code == ClosePolicy {
			failures = 10
		}
		if ctx.Err() != nil {
			break
		}
		if b.Disconnected != nil {
			b.Disconnected(err)
		}
		if refused, ok := errors.AsType[*Error](err); ok && refused.IsFinal() {
			return refused
		}
		b.pause(ctx, failures)
	}
	return nil
}

func (b *Bot) pause(ctx context.Context, failures int) {
	longest := b.MaxBackoff
	if longest == 0 {
		longest = 5 * time.Second
	}
	sleep(ctx, rand.N(min(longest, 100*time.Millisecond<<min(failures, 20))))
}

func sleep(ctx context.Context, length time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
}

func (b *Bot) connect(ctx context.Context) (*connection, error) {
	socket, err := b.Servers[rand.N(len(b.Servers))].Dial(ctx)
	if err != nil {
		return nil, err
	}
	if b.Connected != nil {
		b.Connected(socket)
	}
	return &connection{Socket: socket, ended: make(chan struct{}), waiting: make(map[string][]chan Frame)}, nil
}

// read follows the rooms from their cursors and handles frames until the connection ends.
func (b *Bot) read(ctx context.Context, c *connection) error {
	defer close(c.ended)
	defer c.Cut()
	defer context.AfterFunc(ctx, c.Cut)()
	var chain Chain
	for _, follow := range b.Follows {
		if cursor := b.Cursor(follow.Room); cursor != "" {
			follow.After = cursor
		}
		chain.AddFollow(follow)
		if err := c.Send(follow); err != nil {
			return err
		}
	}
	b.setConnection(c)
	defer b.setConnection(nil)
	for {
		frame, err := c.Next()
		if err == nil {
			err = chain.Check(frame)
		}
		if c.timedOut.Load() {
			return ErrNoReply
		}
		if err != nil {
			return err
		}
		b.dispatch(c, frame, &chain)
	}
}

// dispatch advances the cursors, delivers replies to waiting Appends, and calls Handle.
func (b *Bot) dispatch(c *connection, frame Frame, chain *Chain) {
	switch f := frame.(type) {
	case *Followed:
		b.setCursor(f.Room, chain.Cursor(f.Room))
	case *Entries:
		b.setCursor(f.Room, chain.Cursor(f.Room))
	case *Stored:
		c.deliver(f.Key, frame)
	case *Error:
		c.deliver(f.Key, frame)
	}
	if b.Handle != nil {
		b.Handle(frame)
	}
}

func (b *Bot) setCursor(room, cursor string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cursors == nil {
		b.cursors = make(map[string]string)
	}
	b.cursors[room] = cursor
}

// Cursor returns the cursor up to which the Bot has read the room, or "" before the first Followed.
// While Handle runs, it includes the frame being handled.
func (b *Bot) Cursor(room string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cursors[room]
}

// setConnection makes c the connection that Append uses; nil means that there is none.
func (b *Bot) setConnection(c *connection) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current = c
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

// awaitConnection returns the current connection, and waits for one if necessary.
func (b *Bot) awaitConnection(ctx context.Context) (*connection, error) {
	for {
		b.mu.Lock()
		c := b.current
		if b.changed == nil {
			b.changed = make(chan struct{})
		}
		changed := b.changed
		b.mu.Unlock()
		if c != nil {
			return c, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
