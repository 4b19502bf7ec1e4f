package throttle

import (
	"context"
	"time"

	"burble/app/markup"
	"burble/app/protocol"
	"burble/streams"
)

const (
	// MaxPagesBytes limits the memory for all pages of history that are being read and encoded.
	MaxPagesBytes = 32 << 20
	// A message of 4,000 characters takes about messageBytes in such a page, and its HTML about
	// renderedBytes.
	messageBytes, renderedBytes = 32 << 10, 32 << 10
	// pageWait limits how long a request waits for that memory.
	pageWait = 5 * time.Second
	// RenderingPerRequest is how much rendering time counts as one request.
	RenderingPerRequest = 10 * time.Millisecond
)

// ReservePage waits for the memory that a page of history needs, and reserves it until the caller calls
// release.
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
	if err := l.CheckDebt(address); err != nil { // the debt may have grown during the wait
		release()
		return nil, err
	}
	return release, nil
}

// Render returns a function that returns an entry's HTML. Render counts a request for every
// RenderingPerRequest that rendering takes, and fails when the address has used up its requests.
func (l *Limits) Render(address string, entries []streams.Entry) (protocol.Render, error) {
	rendered := make(map[streams.ID]string, len(entries))
	renderer := markup.Renderer{WaitForSlot: true}
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
		if err := l.CheckDebt(address); err != nil {
			return nil, err
		}
	}
	return func(entry *streams.Entry) string { return rendered[entry.ID] }, nil
}
