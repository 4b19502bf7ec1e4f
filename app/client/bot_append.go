package client

import (
	"context"
	"time"
)

// answerTimeout is how long an Append waits for an answer before the Bot gives up the connection.
// Servers give up after 8 s.
const answerTimeout = 20 * time.Second

// Append sends a, repeatedly and on new connections if necessary, until it is stored, refused with a
// final *Error, or ctx ends. It is safe for concurrent use.
func (b *Bot) Append(ctx context.Context, a Append) (*Stored, error) {
	for {
		c, err := b.awaitConnection(ctx)
		if err != nil {
			return nil, err
		}
		switch answer := c.appendOnce(ctx, a).(type) {
		case *Stored:
			return answer, nil
		case *Error:
			if answer.IsFinal() {
				return nil, answer
			}
			sleep(ctx, max(answer.RetryAfter(), retryPause(answer)))
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

// appendOnce sends a and returns its answer, or nil if the connection or ctx ends first.
func (c *connection) appendOnce(ctx context.Context, a Append) Frame {
	answer := make(chan Frame, 1)
	c.mu.Lock()
	c.waiting[a.key()] = append(c.waiting[a.key()], answer)
	c.mu.Unlock()
	if c.Send(a) != nil {
		c.Cut() // half a frame may be on the wire
	}
	timeout := time.NewTimer(answerTimeout)
	defer timeout.Stop()
	select {
	case frame := <-answer:
		return frame
	case <-c.ended:
	case <-ctx.Done():
	case <-timeout.C:
		c.timedOut.Store(true)
		c.Cut()
	}
	return nil
}

// deliver passes an answer to every appendOnce that waits for one with the key.
func (c *connection) deliver(key string, frame Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, waiting := range c.waiting[key] {
		waiting <- frame
	}
	delete(c.waiting, key)
}
