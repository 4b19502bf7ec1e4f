package throttle

import (
	"context"
	"time"

	"burble/app/markup"
	"burble/app/protocol"
	"burble/streams"
)

const (
	// MaxPagesBytes bounds the memory of all pages of history that are being read and encoded.
	MaxPagesBytes = 32 << 20
	// messageBytes is the approximate memory that a message of 4,000 characters takes in such a page,
	// and renderedBytes that of its HTML.
	messageBytes, renderedBytes = 32 << 10, 32 << 10
	// pageWait bounds how long a request waits for that memory.
	pageWait = 5 * time.Second
	// RenderingPerRequest is how much time to render messages counts as one request.
	RenderingPerRequest = 10 * time.Millisecond
)

// ReservePage waits for the memory that a page of history needs until release is called.
func (l *Limits) ReservePage(ctx context.Context, address string, messages int, html bool) (release func(), err error) {
	size := int64(messages) * messageBytes
	if html {
		size += int64(messages) * renderedBytes
	}
	size = min(size, MaxPagesBytes)
	ctx, cancel := context.WithTimeout(ctx, pageWait)
	defer cancel()
	if l.Pages.Acquire(ctx, size) != nil {
		return nil, protocol.TooMany("large pages at once", time.Second)
	}
	release = func() { l.Pages.Release(size) }
	if err := l.AllowDebt(address); err != nil { // it may have grown meanwhile
		release()
		return nil, err
	}
	return release, nil
}

// Render returns a function that returns the HTML of the entries. Render counts a request for every
// RenderingPerRequest that rendering takes, and fails when the address has used up its requests.
func (l *Limits) Render(address string, entries []streams.Entry) (protocol.Render, error) {
	rendered := make(map[streams.ID]string, len(entries))
	renderer := markup.Renderer{InTurn: true}
	for i := range entries {
		if entries[i].Deleted {
			continue
		}
		rendered[entries[i].ID] = renderer.HTML(&entries[i])
		if renderer.Spent < RenderingPerRequest {
			continue
		}
		l.Requests.Charge(address, int(renderer.Spent/RenderingPerRequest), time.Now())
		renderer.Spent %= RenderingPerRequest
		if err := l.AllowDebt(address); err != nil {
			return nil, err
		}
	}
	return func(entry *streams.Entry) string { return rendered[entry.ID] }, nil
}
