package client

import (
	"context"
	"time"
)

// answerTimeout is how long a connection may leave an Append unanswered before it counts
// as lost. Servers give up after 8 s.
const answerTimeout = 20 * time.Second

// Append sends a until its outcome is known, on one connection after another: stored,
// *Error, or ctx ended. It may be called from several goroutines.
func (b *Bot) Append(ctx context.Context, a Append) (*Stored, error) {
	for {
		c, err := b.connected(ctx)
		if err != nil {
			return nil, err
		}
		switch answer := c.ask(ctx, a).(type) {
		case *Stored:
			return answer, nil
		case *Error:
			if answer.IsFinal() {
				return nil, answer
			}
			wait(ctx, max(answer.RetryAfter(), retryPause(answer)))
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// retryPause is the least time before an Append is repeated.
func retryPause(e *Error) time.Duration {
	if e.Code == "full" { // until an operator acts
		return time.Second
	}
	return 50 * time.Millisecond
}

// ask sends a once and returns its answer, nil if the connection or ctx ends first.
func (c *connection) ask(ctx context.Context, a Append) Frame {
	answer := make(chan Frame, 1)
	c.mu.Lock()
	c.waiting[a.key()] = append(c.waiting[a.key()], answer)
	c.mu.Unlock()
	if c.Send(a) != nil {
		c.Cut() // half a frame may be on the wire
	}
	late := time.NewTimer(answerTimeout)
	defer late.Stop()
	select {
	case frame := <-answer:
		return frame
	case <-c.ended:
	case <-ctx.Done():
	case <-late.C:
		c.late.Store(true)
		c.Cut()
	}
	return nil
}

// answer passes an answer to every call that is waiting for one under the key.
func (c *connection) answer(key string, frame Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, waiting := range c.waiting[key] {
		waiting <- frame
	}
	delete(c.waiting, key)
}
