package chat

import (
	"context"
	"slices"
	"time"

	"burble/app/identity"
	"burble/app/limit"
	"burble/app/protocol"
	"burble/streams"
)

// Limits of a search. To continue, a client starts another search, with Query.Before set to
// the ID that Run returned.
const (
	searchPage        = 100 // messages per read
	searchMatches     = 50  // matches per search
	searchReads       = 200 // reads per search, each of about 1,000 entries if few of them are messages
	searchesByAddress = 8   // concurrent searches per address; a user may run one
	searchesAtOnce    = 32  // concurrent searches from all addresses; each holds a page in memory

	searchRate  = 20_000 // entries per second that searches from one address may read
	searchBurst = 2 * searchRate
)

// MaxQuery is the maximum combined length of a query's text and author, in characters.
const MaxQuery = 200

// Query describes a search of a room.
type Query struct {
	Room          string
	Text          string // words that a message contains in any order, or "phrases"; may be empty
	From          string // author: user ID or name; may be empty
	Before, After streams.ID
}

// searchQuotas limits concurrent searches per user and per address. The limit per user is not
// enough, because a client can create any number of users.
type searchQuotas struct{ byUser, byAddress, all *limit.Quota }

func newSearchQuotas() searchQuotas {
	return searchQuotas{limit.NewQuota(1), limit.NewQuota(searchesByAddress), limit.NewQuota(searchesAtOnce)}
}

// acquire counts a search until the caller calls release. It returns false if too many are running.
func (q *searchQuotas) acquire(user identity.User, address string) (release func(), ok bool) {
	key := user.ID
	if user.IsZero() {
		key = address
	}
	releaseUser, ok := q.byUser.Take(key, 1)
	if !ok {
		return nil, false
	}
	releaseAddress, ok := q.byAddress.Take(address, 1)
	if !ok {
		releaseUser()
		return nil, false
	}
	releaseAll, ok := q.all.Take("", 1)
	if !ok {
		releaseUser()
		releaseAddress()
		return nil, false
	}
	return func() { releaseUser(); releaseAddress(); releaseAll() }, true
}

// Search is a search in progress. The caller must close it.
type Search struct {
	Close func() // may be called more than once

	service *Service
	user    identity.User
	address string
	query   Query
	terms   searchTerms
	page    streams.Page

	maxReads int // searchReads, or fewer in tests
}

// Search starts a search and reads the first page. The search runs backwards from query.Before, or
// from the end of the room. Search fails if the user cannot read the room, or if the user or the
// address is already running too many searches.
func (s *Service) Search(user identity.User, address string, query Query) (*Search, error) {
	release, ok := s.searches.acquire(user, address)
	if !ok {
		return nil, protocol.TooMany("searches at once", time.Second)
	}
	if ok, wait := s.searchedEntries.Allow(address, 0, time.Now()); !ok {
		release()
		return nil, protocol.TooMany("searches", wait)
	}
	search := &Search{Close: release, service: s, user: user, address: address, query: query, terms: query.terms(), maxReads: searchReads}
	if err := search.read(query.Before); err != nil {
		release()
		return nil, err
	}
	return search, nil
}

// Matches returns the ranges of the message's text that match the query, in characters and in order.
func (s *Search) Matches(entry *streams.Entry) [][2]int { return s.terms.find(entry.Text) }

// Run calls emit for each matching message, newest first, until emit returns false or the search
// reaches a limit. It returns the number of messages searched and the ID before which the next search
// continues, or the zero ID if there are no older messages. Between reads, it pauses for twice as long
// as the last read took, or for as long as searchRate requires, so that searches do not slow Redis down
// for everyone else.
func (s *Search) Run(emit func(*streams.Entry) bool) (searched int, older streams.ID, err error) {
	found := 0
	for reads, began := 1, time.Now(); ; reads++ {
		older = s.page.Older
		for _, entry := range slices.Backward(s.page.Entries) {
			if !s.query.After.Before(entry.ID) {
				return searched, streams.ID{}, nil
			}
			searched++
			if !s.terms.match(&entry) {
				continue
			}
			if found++; !emit(&entry) || found == searchMatches {
				return searched, entry.ID, nil
			}
		}
		if older.IsZero() || reads == s.maxReads {
			return searched, older, nil
		}
		time.Sleep(max(2*time.Since(began), s.requiredPause()))
		began = time.Now()
		if err := s.read(older); err != nil {
			return searched, older, err
		}
	}
}

// read reads the page of messages before the given ID, or the newest page for the zero ID.
func (s *Search) read(before streams.ID) (err error) {
	ctx, cancel := context.WithTimeout(s.service.ctx, callTimeout)
	defer cancel()
	s.page, err = s.service.Page(ctx, s.user, s.query.Room, streams.PageQuery{Before: before, Limit: searchPage})
	s.service.searchedEntries.Charge(s.address, s.page.Examined, time.Now())
	return err
}

// requiredPause returns how long searches from the address must wait before they may read again.
func (s *Search) requiredPause() time.Duration {
	_, wait := s.service.searchedEntries.Allow(s.address, 0, time.Now())
	return wait
}
