package client

import (
	"context"
	"time"
)

// replyTimeout is how long an Append waits for a reply before the Bot gives up on the connection. A
// server gives up on a request after 8 s.
const replyTimeout = 20 * time.Second

// Append sends a, repeatedly and on new connections if necessary, until a is stored or refused with a
// final *Error, or ctx ends. Append is safe for concurrent use.
func (b *Bot) Append(ctx context.Context, a Append) (*Stored, error) {
	for {
		c, err := b.awaitConnection(ctx)
		if err != nil {
			return nil, err
		}
		switch reply := c.appendOnce(ctx, a).(type) {
		case *Stored:
			return reply, nil
		case *Error:
			if reply.IsFinal() {
				return nil, reply
			}
			sleep(ctx, max(reply.RetryAfter(), retryPause(reply)))
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// retryPause returns the minimum pause before an Append is repeated.
func retryPause(e *Error) time.Duration {
	if e.Code == "full" { // lasts until an operator acts
		return time.Second
	}
	return 50 * time.Millisecond
}

// appendOnce sends a and returns its reply, or nil if the connection or ctx ends first.
func (c *connection) appendOnce(ctx context.Context, a Append) Frame {
	reply := make(chan Frame, 1)
	c.mu.Lock()
	c.waiting[a.key()] = append(c.waiting[a.key()], reply)
	c.mu.Unlock()
	if c.Send(a) != nil {
		c.Cut() // half a frame may be on the wire
	}
	timeout := time.NewTimer(replyTimeout)
	defer timeout.Stop()
	select {
	case frame := <-reply:
		return frame
	case <-c.ended:
	case <-ctx.Done():
	case <-timeout.C:
		c.timedOut.Store(true)
		c.Cut()
	}
	return nil
}

// deliver passes a reply to every appendOnce that waits for one with the key.
func (c *connection) deliver(key string, frame Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, waiting := range c.waiting[key] {
		waiting <- frame
	}
	delete(c.waiting, key)
}
