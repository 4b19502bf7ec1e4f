package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// ErrNoAnswer is why a Bot gave up a connection on which an Append stayed unanswered.
var ErrNoAnswer = errors.New("no answer within 20 s")

// Bot reads rooms and appends to them for as long as Run runs, even if
// connections and servers fail. Set its fields before Run, which is called once.
type Bot struct {
	Servers []*Server // any of them will do; one is chosen at random for each connection
	Follows []Follow  // where reading begins; from then on the Bot keeps the cursors

	// Handle is called with each frame, in order, on the goroutine of Run. It must not
	// call Append, whose answer would have to be read meanwhile.
	Handle func(Frame)

	// MaxBackoff bounds the pause before a new connection, 5 s if 0. A pause is a random
	// part of a time that begins at 100 ms, doubles with each connection that lasts less
	// than 1 s, and is MaxBackoff after close code 1008.
	MaxBackoff time.Duration

	Connected    func(*Socket) // called with each connection; may be nil
	Disconnected func(error)   // called with why it ended, or was not made; may be nil

	mu      sync.Mutex
	cursors map[string]string
	current *connection
	changed chan struct{} // closed when current changes; nil: no goroutine waits for it
}

// connection is one connection of a Bot.
type connection struct {
	*Socket
	ended chan struct{} // closed when its last frame was read
	late  atomic.Bool   // an Append stayed unanswered

	mu      sync.Mutex
	waiting map[string][]chan Frame // for answers, by key
}

// Run keeps the Bot connected until ctx ends, and then returns nil. It returns *Error if
// a server refuses the Bot for a reason that another attempt would not change.
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
	wait(ctx, rand.N(min(longest, 100*time.Millisecond<<min(failures, 20))))
}

func wait(ctx context.Context, length time.Duration) {
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
		chain.Sent(follow)
		if err := c.Send(follow); err != nil {
			return err
		}
	}
	b.use(c)
	defer b.use(nil)
	for {
		frame, err := c.Next()
		if err == nil {
			err = chain.Check(frame)
		}
		if c.late.Load() {
			return ErrNoAnswer
		}
		if err != nil {
			return err
		}
		b.take(c, frame, &chain)
	}
}

// take moves the cursors, passes answers to those who wait, and calls Handle.
func (b *Bot) take(c *connection, frame Frame, chain *Chain) {
	switch f := frame.(type) {
	case *Followed:
		b.move(f.Room, chain.Cursor(f.Room))
	case *Entries:
		b.move(f.Room, chain.Cursor(f.Room))
	case *Stored:
		c.answer(f.Key, frame)
	case *Error:
		c.answer(f.Key, frame)
	}
	if b.Handle != nil {
		b.Handle(frame)
	}
}

func (b *Bot) move(room, cursor string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cursors == nil {
		b.cursors = make(map[string]string)
	}
	b.cursors[room] = cursor
}

// Cursor returns the cursor up to which the room was read, "" before the first Followed.
// While Handle runs, it is the cursor after the frame that is handled.
func (b *Bot) Cursor(room string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cursors[room]
}

// use makes c the connection for appends.
func (b *Bot) use(c *connection) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current = c
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

// connected waits for a connection.
func (b *Bot) connected(ctx context.Context) (*connection, error) {
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
