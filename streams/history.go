package streams

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"burble/streams/conns"
)

// Page is a range of a room's messages, in their state as of AsOf.
type Page struct {
	AsOf    Cursor  // the page reflects all entries up to and including this one
	Entries []Entry // messages only, oldest first
	Older   ID      // pass as Before to read older messages; zero if there are none
	Newer   ID      // pass as After to read newer messages; zero if there are none
	Trimmed bool    // whether Older is zero because older messages were trimmed

	Examined int // number of entries that Redis examined for the page; may exceed len(Entries)
}

// PageQuery selects the messages of a Page. By default, these are the newest.
type PageQuery struct {
	Before, After, Around ID        // at most one is set; only Around includes the message with its ID
	At                    time.Time // if set, the page is around this time
	Limit                 int       // 1 to 500 messages
}

// Page returns messages in their current state: with edits and reactions applied, and without
// the text of deleted messages. A single script reads them, so the page is consistent.
func (a Access) Page(ctx context.Context, room string, query PageQuery) (Page, error) {
	granted, err := a.admit(room, reading)
	if err != nil {
		return Page{}, err
	}
	s := a.store
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	page, err := s.page(ctx, granted, query)
	page.Trimmed = page.Trimmed && page.Older.IsZero()
	if err == nil {
		err = s.addOwnReactions(ctx, granted, page.Entries)
	}
	if err != nil {
		return Page{}, fmt.Errorf("read a page of room %q: %w", room, err)
	}
	return page, nil
}

func (s *Store) page(ctx context.Context, granted grant, query PageQuery) (Page, error) {
	if !query.At.IsZero() {
		query.Around = ID{Millis: uint64(max(1, query.At.UnixMilli()))}
	}
	switch {
	case !query.Around.IsZero():
		return s.pageAround(ctx, granted, query)
	case !query.After.IsZero():
		return s.pageAfter(ctx, granted, query)
	case !query.Before.IsZero():
		return s.pageBefore(ctx, granted, query)
	}
	page, found, err := s.readRanges(ctx, granted, pageRange{true, "+", query.Limit})
	if err != nil {
		return Page{}, err
	}
	page.Entries, page.Older = found[0].entries, found[0].end
	return page, nil
}

func (s *Store) pageAfter(ctx context.Context, granted grant, query PageQuery) (Page, error) {
	from := query.After.next()
	page, found, err := s.readRanges(ctx, granted, pageRange{false, from.String(), query.Limit}, pageRange{true, query.After.String(), 1})
	if err != nil {
		return Page{}, err
	}
	page.Entries, page.Newer = found[0].entries, found[0].end
	if !found[1].isEmpty() {
		page.Older = from
		if len(page.Entries) > 0 {
			page.Older = page.Entries[0].ID
		}
	}
	return page, nil
}

func (s *Store) pageBefore(ctx context.Context, granted grant, query PageQuery) (Page, error) {
	from := query.Before.previous()
	page, found, err := s.readRanges(ctx, granted, pageRange{true, from.String(), query.Limit}, pageRange{false, query.Before.String(), 1})
	if err != nil {
		return Page{}, err
	}
	page.Entries, page.Older = found[0].entries, found[0].end
	if !found[1].isEmpty() {
		page.Newer = cmp.Or(from, ID{Seq: 1}) // zero would mean that there are no newer messages; no entry has the ID 0-1
		if n := len(page.Entries); n > 0 {
			page.Newer = page.Entries[n-1].ID
		}
	}
	return page, nil
}

// pageAround reads up to half a page of messages before query.Around, and fills the page with messages
// from there on.
func (s *Store) pageAround(ctx context.Context, granted grant, query PageQuery) (Page, error) {
	half := query.Limit / 2
	page, found, err := s.readRanges(ctx, granted,
		pageRange{true, query.Around.previous().String(), max(1, half)},
		pageRange{false, query.Around.String(), query.Limit})
	if err != nil {
		return Page{}, err
	}
	older, newer := found[0], found[1]
	older.limitTo(true, half)
	newer.limitTo(false, query.Limit-len(older.entries))
	page.Entries, page.Older, page.Newer = append(older.entries, newer.entries...), older.end, newer.end
	return page, nil
}

// A pageRange is a query to page.lua: up to limit messages, from the bound (inclusive) backward
// if older is set, else forward.
type pageRange struct {
	older bool
	bound string
	limit int
}

// A rangeResult is the result of a pageRange.
type rangeResult struct {
	entries []Entry // oldest first
	end     ID      // the last ID that the range covers; zero if there are no messages beyond the range
}

// isEmpty reports whether there are no messages in the direction of the query.
func (f *rangeResult) isEmpty() bool { return len(f.entries) == 0 && f.end.IsZero() }

// readRanges reads the messages and tombstones in all ranges with one script. It sets the page's
// AsOf and Examined.
func (s *Store) readRanges(ctx context.Context, granted grant, ranges ...pageRange) (page Page, found []rangeResult, err error) {
	read := conns.Call{
		Script: pageScript, Keys: append(s.keys.history(granted.room), s.keys.members(granted.room)),
		Args: []any{granted.memberID()},
	}
	for _, one := range ranges {
		direction := "newer"
		if one.older {
			direction = "older"
		}
		read.Args = append(read.Args, direction, one.bound, one.limit)
		read.Weight += 2 + one.limit/20
	}
	calls := []conns.Call{read}
	if s.maxAge > 0 {
		calls = []conns.Call{s.retentionCall(granted.room), read}
	}
	replies, err := s.redis.RunScripts(ctx, calls...)
	if err != nil {
		return Page{}, nil, wrap(err)
	}
	// Ignore errors from retentionCall. A Redis that refuses writes, for lack of space or replicas,
	// can still be read.
	if replies[len(replies)-1].Val() == "hidden" {
		return Page{}, nil, ErrHidden
	}
	reply, err := replies[len(replies)-1].Slice()
	if err != nil {
		return Page{}, nil, wrap(err)
	}
	epoch, _ := reply[0].(string)
	last, _ := reply[1].(string)
	page.AsOf.Epoch = cmp.Or(epoch, noEpoch)
	page.AsOf.ID, _ = ParseID(last)
	page.Trimmed = reply[2] == "1"
	for i, one := range ranges {
		row := asList(reply[3+i])
		examined, _ := row[3].(int64)
		page.Examined += int(examined)
		found = append(found, one.merge(row))
	}
	return page, found, nil
}

// merge merges the messages and tombstones that page.lua returned, oldest first.
func (r pageRange) merge(reply []any) rangeResult {
	var found rangeResult
	if rest, _ := reply[2].(string); rest != "" {
		found.end, _ = ParseID(rest[1:])
	}
	messages := asList(reply[0])
	all := make([]Entry, len(messages))
	for i, row := range messages {
		parseMessage(asList(row), &all[i])
	}
	for _, row := range asList(reply[1]) {
		if entry, ok := parseTombstone(asList(row)); ok {
			all = append(all, entry)
		}
	}
	for _, entry := range all {
		if entry.Kind == Message && inRange(entry.ID, r.older, r.bound, found.end) {
			found.entries = append(found.entries, entry)
		}
	}
	byID := func(a, b Entry) int { return a.ID.Compare(b.ID) }
	slices.SortFunc(found.entries, byID)
	found.entries = slices.CompactFunc(found.entries, func(a, b Entry) bool { return a.ID == b.ID })
	found.limitTo(r.older, r.limit)
	return found
}

// limitTo keeps the limit messages nearest to the bound, and moves end to the last of them.
func (f *rangeResult) limitTo(older bool, limit int) {
	over := len(f.entries) - limit
	switch {
	case over <= 0:
	case older && limit > 0:
		f.entries = f.entries[over:]
		f.end = f.entries[0].ID
	case older:
		f.end, f.entries = f.entries[over-1].ID.next(), nil
	default:
		f.entries = f.entries[:limit]
		f.end = f.entries[limit-1].ID
	}
}

// inRange reports whether the ID lies between the bound and end, both inclusive. A zero end means
// no limit.
func inRange(id ID, older bool, bound string, end ID) bool {
	from, err := ParseID(bound)
	if err != nil { // "+"
		from = ID{math.MaxUint64, math.MaxUint64}
	}
	if older {
		return !from.Before(id) && !id.Before(end)
	}
	return !id.Before(from) && (end.IsZero() || !end.Before(id))
}
