package main

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"burble/app/protocol"
	"burble/streams"

	"github.com/gofiber/fiber/v2"
)

// Bounds of one search. What is beyond is asked for with the older it ends with.
const (
	searchPage    = 200 // messages that one read of Redis folds
	searchMatches = 50  // found
	searchReads   = 100 // of Redis, of up to 4,000 entries where few are messages
	queryLimit    = 200 // characters
	searchesMost  = 8   // at once, of one address
)

// query is what is searched for.
type query struct {
	user          streams.User // who searches
	room          string
	text          string // in lower case
	from          string // an author: user ID, or name in lower case
	before, after streams.ID
}

// search is GET /r/{room}/search: matching messages, newest first, a line each,
// written as they are found.
func (a *App) search(c *fiber.Ctx) error {
	asked, err := queryAsked(c)
	if err != nil {
		return err
	}
	html, err := queryBool(c, "html")
	if err != nil {
		return err
	}
	asked.user = a.user(c)
	end, ok := a.beginSearch(a.caller(c))
	if !ok {
		return protocol.TooMany("searches at once", time.Second)
	}
	page, err := a.readPage(&asked, asked.before) // while an error can still be a status
	if err != nil {
		end()
		return err
	}
	lines := &lineCodec{event: silent}
	return a.takeOver(c, "application/x-ndjson", lines, end, func(f *feed) {
		a.scan(asked, html, page, func(line []byte) bool { return f.write(lines.chunk(append(line, '\n'))) })
	})
}

// beginSearch counts a search for its user, who has one at a time, and for the address:
// users cost nothing to make.
func (a *App) beginSearch(caller *caller) (end func(), ok bool) {
	who := caller.address
	if !caller.user.IsZero() {
		who = caller.user.ID
	}
	ofUser, ok := a.limits.userSearches.Take(who, 1)
	if !ok {
		return nil, false
	}
	ofAddress, ok := a.limits.addressSearches.Take(caller.address, 1)
	if !ok {
		ofUser()
		return nil, false
	}
	return func() { ofUser(); ofAddress() }, true
}

func queryAsked(c *fiber.Ctx) (asked query, err error) {
	if asked.room, err = protocol.CheckRoom(c.Params("room")); err != nil {
		return asked, err
	}
	if err := onlyQueries(c, "q", "from", "before", "after", "html"); err != nil {
		return asked, err
	}
	asked.text = strings.ToLower(strings.TrimSpace(c.Query("q")))
	asked.from = strings.ToLower(strings.TrimSpace(c.Query("from")))
	if asked.text == "" && asked.from == "" || utf8.RuneCountInString(asked.text+asked.from) > queryLimit {
		return asked, protocol.Errorf(protocol.BadField, "q", "%q has 1 to %d characters.", "q", queryLimit)
	}
	for name, place := range map[string]*streams.ID{"before": &asked.before, "after": &asked.after} {
		if text := c.Query(name); text != "" {
			if *place, err = protocol.CheckID(name, text); err != nil {
				return asked, err
			}
		}
	}
	return asked, nil
}

// matches says whether a message is one of those searched for.
func (q *query) matches(entry *streams.Entry) bool {
	if entry.Deleted || q.from != "" && q.from != entry.User.ID && q.from != strings.ToLower(entry.User.Name) {
		return false
	}
	return strings.Contains(strings.ToLower(entry.Text), q.text)
}

// scan reads the room from its end, whose page was read. It rests twice as long as it
// made Redis work, so that a search never slows the room down.
func (a *App) scan(asked query, html bool, page streams.Page, emit func(line []byte) bool) {
	searched, found, reads := 0, 0, 0
	for began := time.Now(); ; {
		older := page.Older
		for _, entry := range slices.Backward(page.Entries) {
			if !asked.after.Before(entry.ID) {
				older = streams.ID{}
				break
			}
			searched++
			if !asked.matches(&entry) {
				continue
			}
			if !emit(protocol.AppendEntry(nil, &entry, html)) {
				return // nobody reads any more
			}
			if found++; found == searchMatches {
				older = entry.ID
				break
			}
		}
		if reads++; older.IsZero() || found == searchMatches || reads == searchReads {
			emit(protocol.EncodeSearchEnd(searched, older))
			return
		}
		time.Sleep(2 * time.Since(began))
		began = time.Now()
		var err error
		if page, err = a.readPage(&asked, older); err != nil {
			emit(protocol.EncodeError(protocol.AsError(err), asked.room, ""))
			return
		}
	}
}

func (a *App) readPage(asked *query, before streams.ID) (streams.Page, error) {
	ctx, cancel := context.WithTimeout(a.ctx, appendTime)
	defer cancel()
	return a.store.As(asked.user).Page(ctx, asked.room, streams.Where{Before: before, Limit: searchPage})
}
