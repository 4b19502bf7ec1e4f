package streams

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// State is how a reader's cursor relates to the room's history.
type State string

// The states. XREAD knows none of them: after a trimmed ID it silently returns what is
// left, and after an ID above the last one it waits forever.
const (
	// Fresh: no cursor was given.
	Fresh State = "fresh"
	// Resumed: everything after the cursor is still there.
	Resumed State = "resumed"
	// Truncated: entries after the cursor were trimmed.
	Truncated State = "truncated"
	// Reset: the cursor belongs to a history that Redis no longer has.
	Reset State = "reset"
)

// roomInfo is what Redis stores about a room, and about one ID in it.
type roomInfo struct {
	exists        bool   // the stream does
	epoch         string // noEpoch if it does not
	lastNumber    int64  // number of the last entry
	trimmedUpto   ID     // entries through here are gone
	trimmedNumber int64
	first, last   ID    // zero in an empty stream
	firstNumber   int64 // number of the first entry, or of the next one in an empty stream

	hasEntry     bool // the entry at the ID exists, or was deleted
	hasWindowEnd bool // the same for the entry at the window's end
	entries      []Entry
	hasMore      bool // there may be entries beyond these
}

// stateAt decides whether a reader at the cursor can be continued exactly.
func (p *roomInfo) stateAt(cursor Cursor) State {
	id := cursor.ID
	anyEpoch := cursor.Epoch == "" || cursor.Epoch == noEpoch
	nothingSeen := id.IsZero() && anyEpoch
	switch {
	case nothingSeen && p.trimmedUpto.IsZero():
		return Resumed
	case nothingSeen:
		return Truncated
	case !p.exists || !anyEpoch && cursor.Epoch != p.epoch:
		return Reset
	case id.Before(p.trimmedUpto):
		return Truncated
	case id == p.trimmedUpto || p.hasEntry:
		return Resumed // at the last trimmed entry, nothing after it is missing
	case id.IsZero():
		return Resumed
	}
	return Reset // above the last entry, or lost in a failover
}

// beforeFirst returns the cursor just before the first entry still kept.
func (p *roomInfo) beforeFirst() Cursor { return Cursor{p.trimmedUpto, p.epoch} }

// end returns the cursor at the last entry.
func (p *roomInfo) end() Cursor {
	if p.last.IsZero() {
		return p.beforeFirst()
	}
	return Cursor{p.last, p.epoch}
}

func (p *roomInfo) readMeta(values []any) {
	field := func(i int) string { text, _ := values[i].(string); return text }
	if epoch := field(0); epoch != "" {
		p.epoch = epoch
	}
	p.lastNumber, _ = strconv.ParseInt(field(1), 10, 64)
	p.trimmedUpto, _ = ParseID(field(2))
	p.trimmedNumber, _ = strconv.ParseInt(field(3), 10, 64)
}

// readInfo reads a room's info at id, up to limit entries in (id, upto], and whether the
// server that answers has the window's end. It first records a trim by another program.
func (s *Store) readInfo(ctx context.Context, room string, id ID, upto string, limit int64, windowEnd ID) (*roomInfo, error) {
	for {
		pipe := s.redis.Retrying.Pipeline()
		query := s.queryInfo(ctx, pipe, room, id, upto, limit, windowEnd)
		pipe.Exec(ctx)
		found, err := query.result()
		if err != nil || !found.exists || found.hasEntry || !found.last.IsZero() && !id.Before(found.first) {
			return found, err
		}
		if again, err := s.detectTrim(ctx, room, found); err != nil || !again {
			return found, err
		}
	}
}

// errOtherHistory means that the server that answered does not have the window's history.
// After a failover, one connection may lead to the old primary for a moment and another
// to the new one.
var errOtherHistory = errors.New("redis answered from a different history than the one being followed")

// checkContinues returns errOtherHistory unless the room's info continues the view. Of two
// histories with one epoch, only one has the window's end. An epoch that the window does not
// have is no error: the tail will notice it too.
func (s *Store) checkContinues(room string, current *view, found *roomInfo) error {
	end := current.end.ID
	if found.epoch != current.end.Epoch || end.IsZero() || found.hasWindowEnd || !found.trimmedUpto.Before(end) {
		return nil
	}
	s.tailOf(room).checkAllDue.Store(true)
	return errOtherHistory
}

// detectTrim records whether another program trimmed the beginning of the stream. again
// reports that the stream has changed since found was read.
func (s *Store) detectTrim(ctx context.Context, room string, found *roomInfo) (again bool, err error) {
	if found.firstNumber == found.trimmedNumber+1 {
		return false, nil
	}
	first, below := "", ""
	if !found.last.IsZero() {
		first, below = found.first.String(), found.first.previous().String()
	}
	keys := []string{s.keys.room(room), s.keys.meta(room), s.keys.erased(room)}
	reply, err := detectTrimScript.Run(ctx, s.redis.Retrying, keys, first, below).StringSlice()
	switch {
	case err != nil:
		return false, fmt.Errorf("detect a trim of room %q: %w", room, wrap(err))
	case reply[0] == "again":
		return true, nil
	case reply[1] != "":
		s.log.Warn("something other than Burble trimmed a stream", "room", room, "through", reply[0])
	}
	found.trimmedUpto, err = ParseID(reply[0])
	return false, err
}

// infoQuery is a query for a roomInfo in a pipeline.
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

// queryInfo adds a query to the pipeline: for the info of a room at id, and up to limit
// entries in (id, upto], with upto as XRANGE takes it. windowEnd is zero if there is none.
//
// The entries come first. If the checks after them find the history intact, it was intact
// when the entries were read. MULTI would make it one moment, but a full Redis refuses even
// reads in it.
func (s *Store) queryInfo(ctx context.Context, pipe redis.Pipeliner, room string, id ID, upto string, limit int64, windowEnd ID) *infoQuery {
	key := s.keys.room(room)
	q := &infoQuery{room: room, id: id, limit: limit}
	if limit > 0 {
		q.entries = pipe.XRangeN(ctx, key, "("+id.String(), upto, limit)
	}
	q.exists = pipe.Exists(ctx, key)
	q.meta = pipe.HMGet(ctx, s.keys.meta(room), "epoch", "n", "trimmed", "trimmed_n")
	q.entry = s.queryEntry(ctx, pipe, room, id)
	if !windowEnd.IsZero() {
		q.windowEnd = s.queryEntry(ctx, pipe, room, windowEnd)
	}
	q.first = pipe.XRangeN(ctx, key, "-", "+", 1)
	q.last = pipe.XRevRangeN(ctx, key, "+", "-", 1)
	return q
}

// result reads the replies after the pipeline was executed.
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

// entryQuery asks whether a server has an entry with an ID, or had it and deleted it.
type entryQuery struct {
	found  *redis.XMessageSliceCmd
	erased *redis.FloatCmd
}

func (s *Store) queryEntry(ctx context.Context, pipe redis.Pipeliner, room string, id ID) *entryQuery {
	return &entryQuery{
		found:  pipe.XRange(ctx, s.keys.room(room), id.String(), id.String()),
		erased: pipe.ZScore(ctx, s.keys.erased(room), id.String()),
	}
}

func (q *entryQuery) err() error {
	if err := q.erased.Err(); !errors.Is(err, redis.Nil) {
		return errors.Join(q.found.Err(), err)
	}
	return q.found.Err()
}

func (q *entryQuery) wasStored() bool { return len(q.found.Val()) > 0 || q.erased.Err() == nil }
