package streams

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// State reports whether a reader continues exactly after its cursor.
type State string

// The states. XREAD does not report them. After a trimmed ID, it silently returns the entries that are
// left. After an ID above the last one, it waits forever.
const (
	// Fresh: the reader started without a cursor.
	Fresh State = "fresh"
	// Resumed: everything after the cursor is still there.
	Resumed State = "resumed"
	// Truncated: entries after the cursor were trimmed.
	Truncated State = "truncated"
	// Reset: the cursor belongs to a history that Redis no longer has.
	Reset State = "reset"
)

// roomInfo is the result of one query about a room and one ID in it.
type roomInfo struct {
	exists        bool   // whether the stream exists
	epoch         string // noEpoch if the stream does not exist
	lastNumber    int64  // number of the last entry
	trimmedUpto   ID     // entries up to and including this ID were trimmed
	trimmedNumber int64
	first, last   ID    // zero in an empty stream
	firstNumber   int64 // number of the first entry, or of the next one in an empty stream

	hasEntry     bool // the entry with that ID exists, or did before it was deleted
	hasWindowEnd bool // the entry at the window's end exists, or did before it was deleted
	entries      []Entry
	hasMore      bool // there may be more entries
}

// stateAt returns the state of a reader that starts at the cursor.
func (p *roomInfo) stateAt(cursor Cursor) State {
	id := cursor.ID
	anyEpoch := cursor.Epoch == "" || cursor.Epoch == noEpoch
	isAtStart := id.IsZero() && anyEpoch
	switch {
	case isAtStart && p.trimmedUpto.IsZero():
		return Resumed
	case isAtStart:
		return Truncated
	case !p.exists || !anyEpoch && cursor.Epoch != p.epoch:
		return Reset
	case id.Before(p.trimmedUpto):
		return Truncated
	case id == p.trimmedUpto || p.hasEntry:
		return Resumed // every entry after the cursor is still there
	case id.IsZero():
		return Resumed
	}
	return Reset // the ID is above the last entry, or its entry was lost in a failover
}

// mayLackAfter reports whether another program may have trimmed entries after id. This is impossible if the
// stream begins at or before id, or with the entry after the last one that Burble trimmed. An erased id
// proves nothing, because erased IDs are kept even if another program trims the entries after them.
func (p *roomInfo) mayLackAfter(id ID) bool {
	beginsAfter := p.last.IsZero() || id.Before(p.first)
	return p.exists && beginsAfter && p.firstNumber != p.trimmedNumber+1
}

// beforeFirst returns the cursor just before the first entry that is still kept.
func (p *roomInfo) beforeFirst() Cursor { return Cursor{p.trimmedUpto, p.epoch} }

// end returns the cursor at the last entry.
func (p *roomInfo) end() Cursor {
	if p.last.IsZero() {
		return p.beforeFirst()
	}
	return Cursor{p.last, p.epoch}
}

// metaFields are the fields that readMeta reads.
var metaFields = []string{"epoch", "n", "trimmed", "trimmed_n"}

func (p *roomInfo) readMeta(values []any) {
	field := func(i int) string { text, _ := values[i].(string); return text }
	if epoch := field(0); epoch != "" {
		p.epoch = epoch
	}
	p.lastNumber, _ = strconv.ParseInt(field(1), 10, 64)
	p.trimmedUpto, _ = ParseID(field(2))
	p.trimmedNumber, _ = strconv.ParseInt(field(3), 10, 64)
}

// readInfo returns a room's info about id, with up to limit entries in (id, upto]. It also checks whether
// the server that answers has the entry at windowEnd, and records trims by other programs.
func (s *Store) readInfo(ctx context.Context, room string, id ID, upto string, limit int64, windowEnd ID) (*roomInfo, error) {
	for {
		var query *infoQuery
		err := s.redis.Pipeline(ctx, 1+int(limit)/50, func(pipe redis.Pipeliner) {
			query = s.queryInfo(ctx, pipe, room, id, upto, limit, windowEnd)
		})
		if err != nil {
			return nil, fmt.Errorf("read room %q: %w", room, wrap(err))
		}
		found, err := query.result()
		if err != nil || !found.mayLackAfter(id) {
			return found, err
		}
		if again, err := s.detectTrim(ctx, room, found); err != nil || !again {
			return found, err
		}
	}
}

// errOtherHistory is returned if the server that answered does not have the window's history. For a
// moment after a failover, one connection may be to the old primary and another to the new one.
var errOtherHistory = errors.New("redis answered from a different history")

// checkContinues returns errOtherHistory unless found is from the view's history. Two histories may have
// the same epoch, but only one has the entry at the window's end. A different epoch is not an error,
// because the tail will detect it and reset the window.
func (s *Store) checkContinues(room string, current *view, found *roomInfo) error {
	end := current.end.ID
	if found.epoch != current.end.Epoch || end.IsZero() || found.hasWindowEnd || !found.trimmedUpto.Before(end) {
		return nil
	}
	s.tailOf(room).checkAllDue.Store(true)
	return errOtherHistory
}

// detectTrim checks whether another program has trimmed the beginning of the stream, and records the
// trim. again reports whether the stream has changed since found was read, so that the caller must read
// it again.
func (s *Store) detectTrim(ctx context.Context, room string, found *roomInfo) (again bool, err error) {
	first, below := "", ""
	if !found.last.IsZero() {
		first, below = found.first.String(), found.first.previous().String()
	}
	keys := []string{s.keys.room(room), s.keys.meta(room), s.keys.erased(room), s.keys.erasedEdits(room)}
	call := conns.Call{Script: detectTrimScript, Weight: 2, Keys: keys, Args: []any{first, below}}
	reply, err := s.redis.RunScript(ctx, call).StringSlice()
	switch {
	case err != nil:
		return false, fmt.Errorf("detect a trim of room %q: %w", room, wrap(err))
	case reply[0] == "again":
		return true, nil
	case reply[1] != "":
		s.log.Warn("another program trimmed a stream", "room", room, "through", reply[0])
	}
	found.trimmedUpto, err = ParseID(reply[0])
	return false, err
}

// infoQuery is a query for a roomInfo, as part of a pipeline.
type infoQuery struct {
	room      string
	id        ID
	limit     int64
	entries   *redis.XMessageSliceCmd // nil if limit is 0
	exists    *redis.IntCmd
	meta      *redis.SliceCmd
	entry     *entryQuery
	windowEnd *entryQuery // nil if there is none
	first     *redis.XMessageSliceCmd
	last      *redis.XMessageSliceCmd
}

// queryInfo adds commands to the pipeline that read a room's info about id, with up to limit entries in
// (id, upto]. upto has the syntax of XRANGE. If windowEnd is zero, queryInfo does not look for it.
//
// The command that reads the entries comes first. If the checks after it find the history intact, it was
// intact when the entries were read. MULTI would be simpler, but a full Redis refuses it even for reads.
func (s *Store) queryInfo(ctx context.Context, pipe redis.Pipeliner, room string, id ID, upto string, limit int64, windowEnd ID) *infoQuery {
	key := s.keys.room(room)
	q := &infoQuery{room: room, id: id, limit: limit}
	if limit > 0 {
		q.entries = pipe.XRangeN(ctx, key, "("+id.String(), upto, limit)
	}
	q.exists = pipe.Exists(ctx, key)
	q.meta = pipe.HMGet(ctx, s.keys.meta(room), metaFields...)
	q.entry = s.queryEntry(ctx, pipe, room, id)
	if !windowEnd.IsZero() {
		q.windowEnd = s.queryEntry(ctx, pipe, room, windowEnd)
	}
	q.first = pipe.XRangeN(ctx, key, "-", "+", 1)
	q.last = pipe.XRevRangeN(ctx, key, "+", "-", 1)
	return q
}

// result returns the roomInfo. The pipeline must have been executed.
func (q *infoQuery) result() (*roomInfo, error) {
	err := errors.Join(q.exists.Err(), q.meta.Err(), q.entry.err(), q.first.Err(), q.last.Err())
	if q.entries != nil {
		err = errors.Join(err, q.entries.Err())
	}
	if q.windowEnd != nil {
		err = errors.Join(err, q.windowEnd.err())
	}
	if err != nil {
		return nil, fmt.Errorf("read room %q: %w", q.room, wrap(err))
	}
	found := &roomInfo{exists: q.exists.Val() > 0, epoch: noEpoch}
	if !found.exists {
		return found, nil
	}
	found.readMeta(q.meta.Val())
	found.firstNumber = found.lastNumber + 1
	found.hasEntry = q.entry.wasStored()
	found.hasWindowEnd = q.windowEnd != nil && q.windowEnd.wasStored()
	if first, last := parseEntries(q.first.Val()), parseEntries(q.last.Val()); len(first) > 0 && len(last) > 0 {
		found.first, found.firstNumber, found.last = first[0].ID, first[0].Number, last[0].ID
		found.lastNumber = max(found.lastNumber, last[0].Number)
	}
	if q.entries != nil {
		found.entries = parseEntries(q.entries.Val())
		found.hasMore = int64(len(found.entries)) == q.limit
	}
	return found, nil
}

// entryQuery checks whether a room has an entry with an ID, or had it before a deletion.
type entryQuery struct {
	found  *redis.XMessageSliceCmd
	erased [2]*redis.FloatCmd
}

func (s *Store) queryEntry(ctx context.Context, pipe redis.Pipeliner, room string, id ID) *entryQuery {
	q := &entryQuery{found: pipe.XRange(ctx, s.keys.room(room), id.String(), id.String())}
	for i, key := range []string{s.keys.erased(room), s.keys.erasedEdits(room)} {
		q.erased[i] = pipe.ZScore(ctx, key, id.String())
	}
	return q
}

func (q *entryQuery) err() error {
	err := q.found.Err()
	for _, erased := range q.erased {
		if !errors.Is(erased.Err(), redis.Nil) {
			err = errors.Join(err, erased.Err())
		}
	}
	return err
}

func (q *entryQuery) wasStored() bool {
	return len(q.found.Val()) > 0 || q.erased[0].Err() == nil || q.erased[1].Err() == nil
}
