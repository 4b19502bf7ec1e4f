package chat

import (
	"context"
	"slices"
	"strings"
	"time"

	"burble/app/identity"
	"burble/app/limit"
	"burble/app/protocol"
	"burble/streams"
)

// Limits of one search. The next one continues before the ID that it ends with.
const (
	searchPage        = 200 // messages that one read of Redis folds
	searchMatches     = 50
	searchReads       = 100 // reads of Redis, of up to 4,000 entries each where few are messages
	searchesByAddress = 8   // at once
)

// MaxQuery is the most characters that the text and the author of a query have together.
const MaxQuery = 200

// Query is what to search a room for.
type Query struct {
	Room          string
	Text          string // in lower case; may be empty
	From          string // the author: a user ID, or a name in lower case; may be empty
	Before, After streams.ID
}

// matches reports whether a message is one of those searched for.
func (q *Query) matches(entry *streams.Entry) bool {
	if entry.Deleted || q.From != "" && q.From != entry.User.ID && q.From != strings.ToLower(entry.User.Name) {
		return false
	}
	return strings.Contains(strings.ToLower(entry.Text), q.Text)
}

// searchQuotas limit how many searches run at once: one for a user, and a few for an address,
// because a user costs nothing to make.
type searchQuotas struct{ byUser, byAddress *limit.Quota }

func newSearchQuotas() searchQuotas {
	return searchQuotas{limit.NewQuota(1), limit.NewQuota(searchesByAddress)}
}

// take counts a search, or reports false.
func (q *searchQuotas) take(user identity.User, address string) (release func(), ok bool) {
	who := user.ID
	if user.IsZero() {
		who = address
	}
	releaseUser, ok := q.byUser.Take(who, 1)
	if !ok {
		return nil, false
	}
	releaseAddress, ok := q.byAddress.Take(address, 1)
	if !ok {
		releaseUser()
		return nil, false
	}
	return func() { releaseUser(); releaseAddress() }, true
}

// Search is a search that has begun: its first page is read. The caller closes it.
type Search struct {
	Close func() // may be called more than once

	service *Service
	user    identity.User
	query   Query
	page    streams.Page
}

// Search begins a search of a room from its end. It fails before anything is emitted if the
// room cannot be read, or if the user or the address has too many searches at once.
func (s *Service) Search(user identity.User, address string, query Query) (*Search, error) {
	release, ok := s.searches.take(user, address)
	if !ok {
		return nil, protocol.TooMany("searches at once", time.Second)
	}
	search := &Search{Close: release, service: s, user: user, query: query}
	if err := search.read(query.Before); err != nil {
		release()
		return nil, err
	}
	return search, nil
}

// Run emits the matching messages, newest first, until emit returns false. It returns how many
// messages it searched, and before which ID to continue; the zero ID means that there is
// nothing more. Between reads it pauses for twice as long as Redis took, so that a search never
// slows the room down.
func (s *Search) Run(emit func(*streams.Entry) bool) (searched int, older streams.ID, err error) {
	found := 0
	for reads, began := 1, time.Now(); ; reads++ {
		older = s.page.Older
		for _, entry := range slices.Backward(s.page.Entries) {
			if !s.query.After.Before(entry.ID) {
				return searched, streams.ID{}, nil
			}
			searched++
			if !s.query.matches(&entry) {
				continue
			}
			if found++; !emit(&entry) || found == searchMatches {
				return searched, entry.ID, nil
			}
		}
		if older.IsZero() || reads == searchReads {
			return searched, older, nil
		}
		time.Sleep(2 * time.Since(began))
		began = time.Now()
		if err := s.read(older); err != nil {
			return searched, older, err
		}
	}
}

// read reads the page of the room before an ID.
func (s *Search) read(before streams.ID) (err error) {
	ctx, cancel := context.WithTimeout(s.service.ctx, callTimeout)
	defer cancel()
	s.page, err = s.service.Page(ctx, s.user, s.query.Room, streams.Where{Before: before, Limit: searchPage})
	return err
}
