package streams

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"
)

// Page is a stretch of a room's messages as they are now.
type Page struct {
	AsOf    Cursor  // entries after it are not folded in
	Entries []Entry // messages only, oldest first
	Older   ID      // ask Before this for what is older; zero: nothing is
	Newer   ID      // ask After this for what is newer; zero: nothing is
}

// Where says which messages a page is of. The zero Where is the newest.
type Where struct {
	Before, After, Around ID        // at most one is set, and Around includes its ID
	At                    time.Time // around this moment
	Limit                 int       // 1 to 500 messages
}

// Page returns messages, edits and reactions folded in, deleted ones without
// their text. It is one script in Redis, so the page is of one moment.
func (a Access) Page(ctx context.Context, room string, where Where) (Page, error) {
	granted, err := a.admit(room, reading)
	if err != nil {
		return Page{}, err
	}
	s := a.store
	ctx, cancel := context.WithTimeout(ctx, flightTime)
	defer cancel()
	if s.options.MaxAge > 0 {
		if err := s.trim(ctx, room); err != nil {
			return Page{}, err
		}
	}
	page, err := s.page(ctx, granted, where)
	if err != nil {
		return Page{}, fmt.Errorf("read a page of room %q: %w", room, err)
	}
	return page, nil
}

func (s *Store) page(ctx context.Context, of grant, where Where) (Page, error) {
	if !where.At.IsZero() {
		where.Around = ID{Millis: uint64(max(1, where.At.UnixMilli()))}
	}
	switch {
	case !where.Around.IsZero():
		return s.around(ctx, of, where)
	case !where.After.IsZero():
		from := where.After.next()
		asOf, found, err := s.fold(ctx, of, stretchAsk{false, from.String(), where.Limit}, stretchAsk{true, where.After.String(), 1})
		if err != nil {
			return Page{}, err
		}
		page := Page{AsOf: asOf, Entries: found[0].entries, Newer: found[0].end}
		if !found[1].isEmpty() {
			page.Older = from
			if len(page.Entries) > 0 {
				page.Older = page.Entries[0].ID
			}
		}
		return page, nil
	case !where.Before.IsZero():
		from := where.Before.previous()
		asOf, found, err := s.fold(ctx, of, stretchAsk{true, from.String(), where.Limit}, stretchAsk{false, where.Before.String(), 1})
		if err != nil {
			return Page{}, err
		}
		page := Page{AsOf: asOf, Entries: found[0].entries, Older: found[0].end}
		if !found[1].isEmpty() {
			page.Newer = cmp.Or(from, ID{Seq: 1}) // not zero, and no entry is there
			if n := len(page.Entries); n > 0 {
				page.Newer = page.Entries[n-1].ID
			}
		}
		return page, nil
	}
	asOf, found, err := s.fold(ctx, of, stretchAsk{true, "+", where.Limit})
	if err != nil {
		return Page{}, err
	}
	return Page{AsOf: asOf, Entries: found[0].entries, Older: found[0].end}, nil
}

// around is half a page before the place and the rest from it on.
func (s *Store) around(ctx context.Context, of grant, where Where) (Page, error) {
	half := where.Limit / 2
	asOf, found, err := s.fold(ctx, of,
		stretchAsk{true, where.Around.previous().String(), max(1, half)},
		stretchAsk{false, where.Around.String(), where.Limit})
	if err != nil {
		return Page{}, err
	}
	older, newer := found[0], found[1]
	older.cut(true, half)
	newer.cut(false, where.Limit-len(older.entries))
	return Page{asOf, append(older.entries, newer.entries...), older.end, newer.end}, nil
}

// stretchAsk asks page.lua for messages in one direction, from a bound on that
// is included.
type stretchAsk struct {
	older bool
	bound string
	limit int
}

// folded is one stretch in one direction.
type folded struct {
	entries []Entry // oldest first
	end     ID      // there may be more beyond it; zero: there is not
}

// isEmpty says that there is nothing in that direction.
func (f *folded) isEmpty() bool { return len(f.entries) == 0 && f.end.IsZero() }

// fold reads messages and tombstones, as they are now, of all stretches at once.
func (s *Store) fold(ctx context.Context, of grant, asks ...stretchAsk) (asOf Cursor, found []folded, err error) {
	var args []any
	for _, ask := range asks {
		direction := "newer"
		if ask.older {
			direction = "older"
		}
		args = append(args, direction, ask.bound, ask.limit)
	}
	reply, err := pageScript.Run(ctx, s.redis.Retrying, s.appendKeys(of.room, "")[:4], args...).Slice()
	if err != nil {
		return Cursor{}, nil, wrap(err)
	}
	epoch, _ := reply[0].(string)
	last, _ := reply[1].(string)
	asOf.Epoch = cmp.Or(epoch, noEpoch)
	asOf.ID, _ = ParseID(last)
	for i, ask := range asks {
		found = append(found, ask.merge(list(reply[2+i])))
	}
	return asOf, found, nil
}

// merge puts the tombstones of a stretch between its messages.
func (a stretchAsk) merge(reply []any) folded {
	var found folded
	if rest, _ := reply[2].(string); rest != "" {
		found.end, _ = ParseID(rest[1:])
	}
	var all []Entry
	for _, row := range list(reply[0]) {
		if entry := foldMessage(list(row)); entry.Kind == Message {
			all = append(all, entry)
		}
	}
	for _, row := range list(reply[1]) {
		if entry, ok := tombstone(list(row)); ok {
			all = append(all, entry)
		}
	}
	for _, entry := range all {
		if within(entry.ID, a.older, a.bound, found.end) {
			found.entries = append(found.entries, entry)
		}
	}
	byID := func(a, b Entry) int { return a.ID.Compare(b.ID) }
	slices.SortFunc(found.entries, byID)
	found.entries = slices.CompactFunc(found.entries, func(a, b Entry) bool { return a.ID == b.ID })
	found.cut(a.older, a.limit)
	return found
}

// cut keeps the limit's messages nearest to the bound, and says where to go on.
func (f *folded) cut(older bool, limit int) {
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

// within says whether the ID lies between the bound that was asked from,
// included, and the end of what was read, included; a zero end is none.
func within(id ID, older bool, bound string, end ID) bool {
	from, err := ParseID(bound)
	if err != nil { // "+"
		from = ID{math.MaxUint64, math.MaxUint64}
	}
	if older {
		return !from.Before(id) && !id.Before(end)
	}
	return !id.Before(from) && (end.IsZero() || !end.Before(id))
}
