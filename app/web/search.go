package web

import (
	"cmp"
	"strings"
	"unicode/utf8"

	"burble/app/caller"
	"burble/app/chat"
	"burble/app/live"
	"burble/app/protocol"
	"burble/app/request"
	"burble/streams"

	"github.com/gofiber/fiber/v2"
)

// getSearch handles GET /r/{room}/search. It writes each matching message as a line of JSON as soon as
// it is found, newest first.
func (s *Server) getSearch(c *fiber.Ctx) error {
	query, err := parseQuery(c)
	if err != nil {
		return err
	}
	html, err := request.Bool(c, "html")
	if err != nil {
		return err
	}
	user, address := caller.Of(c).User, caller.Of(c).Address
	search, err := s.chat.Search(user, address, query)
	if err != nil {
		return err
	}
	lines := live.SearchResults(isChunked(c))
	return s.takeOver(c, "application/x-ndjson", lines, search.Close, func(feed *live.Feed) {
		write := func(line []byte) bool { return !feed.Closed() && feed.Write(lines.Chunk(append(line, '\n'))) }
		feed.Write(nil) // sends the head now, because the first match may take a while
		var refused error
		searched, older, err := search.Run(func(entry *streams.Entry) bool {
			var render protocol.Render
			if html {
				if render, refused = s.limits.Render(address, []streams.Entry{*entry}); refused != nil {
					return false
				}
			}
			return write(protocol.AppendMatch(nil, query.Room, entry, render, search.Matches(entry)))
		})
		err = cmp.Or(err, refused)
		if err != nil {
			write(protocol.EncodeError(protocol.AsError(err), query.Room, ""))
			return
		}
		write(protocol.EncodeSearchEnd(searched, older))
	})
}

// parseQuery returns the search query in a request, after checking its fields.
func parseQuery(c *fiber.Ctx) (query chat.Query, err error) {
	if query.Room, err = protocol.CheckRoom(c.Params("room")); err != nil {
		return query, err
	}
	if err := request.CheckQuery(c, "q", "from", "before", "after", "html"); err != nil {
		return query, err
	}
	query.Text = strings.TrimSpace(c.Query("q"))
	query.From = strings.TrimSpace(c.Query("from"))
	if query.IsEmpty() || utf8.RuneCountInString(query.Text+query.From) > chat.MaxQuery {
		return query, protocol.Errorf(protocol.BadField, "q", "%q must have 1 to %d characters.", "q", chat.MaxQuery)
	}
	for name, id := range map[string]*streams.ID{"before": &query.Before, "after": &query.After} {
		if text := c.Query(name); text != "" {
			if *id, err = protocol.CheckID(name, text); err != nil {
				return query, err
			}
		}
	}
	return query, nil
}
