package web

import (
	"context"
	"time"

	"burble/app/markup"
	"burble/app/protocol"
	"burble/streams"

	"github.com/gofiber/fiber/v2"
)

const (
	// maxPagesBytes bounds the memory of all pages of history that are being read and encoded.
	maxPagesBytes = 32 << 20
	// messageBytes is about what a message of 4,000 characters takes meanwhile, and renderedBytes
	// what its HTML adds.
	messageBytes, renderedBytes = 32 << 10, 32 << 10
	// pageWait bounds how long a request waits for that memory.
	pageWait = 5 * time.Second
	// renderingPerRequest is how much time to render messages counts as one request.
	renderingPerRequest = 10 * time.Millisecond
)

// reservePage waits for the memory that a page of history needs until release is called.
func (s *Server) reservePage(c *fiber.Ctx, messages int, html bool) (release func(), err error) {
	size := int64(messages) * messageBytes
	if html {
		size += int64(messages) * renderedBytes
	}
	size = min(size, maxPagesBytes)
	ctx, cancel := context.WithTimeout(c.UserContext(), pageWait)
	defer cancel()
	if s.limits.pages.Acquire(ctx, size) != nil {
		return nil, protocol.TooMany("large pages at once", time.Second)
	}
	release = func() { s.limits.pages.Release(size) }
	if err := s.checkDebt(s.callerOf(c).address); err != nil { // it may have grown meanwhile
		release()
		return nil, err
	}
	return release, nil
}

// chargeEntries counts what a page of history cost beyond its limit: one request for every further
// pageSize entries that Redis read to find its messages.
func (s *Server) chargeEntries(c *fiber.Ctx, page streams.Page, limit int) {
	s.limits.requests.Charge(s.callerOf(c).address, (page.Examined-limit)/pageSize, time.Now())
}

// chargeRooms counts a list of rooms as one more request for every pageSize rooms. Each costs Redis
// about as much as a message.
func (s *Server) chargeRooms(c *fiber.Ctx, rooms int) {
	s.limits.requests.Charge(s.callerOf(c).address, rooms/pageSize, time.Now())
}

// renderAll returns a function that returns the HTML of the entries. It counts one request for every
// renderingPerRequest that rendering takes, and fails when the address has used up its requests.
func (s *Server) renderAll(address string, entries []streams.Entry) (protocol.Render, error) {
	rendered := make(map[streams.ID]string, len(entries))
	renderer := markup.Renderer{InTurn: true}
	for i := range entries {
		if entries[i].Deleted {
			continue
		}
		rendered[entries[i].ID] = renderer.HTML(&entries[i])
		if renderer.Spent < renderingPerRequest {
			continue
		}
		s.limits.requests.Charge(address, int(renderer.Spent/renderingPerRequest), time.Now())
		renderer.Spent %= renderingPerRequest
		if err := s.checkDebt(address); err != nil {
			return nil, err
		}
	}
	return func(entry *streams.Entry) string { return rendered[entry.ID] }, nil
}

// checkDebt returns an error if the address was charged for more requests than it may make.
func (s *Server) checkDebt(address string) error {
	if ok, after := s.limits.requests.Allow(address, 0, time.Now()); !ok {
		return protocol.TooMany("requests", after)
	}
	return nil
}
