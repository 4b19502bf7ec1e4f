package streams

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// State says how a reader stands to the history it asked to go on from.
type State string

// The states. XREAD knows none of them: from a trimmed ID it returns what is
// left without a word, and from an ID above the last one it waits for ever.
const (
	// Fresh: no cursor was given.
	Fresh State = "fresh"
	// Resumed: everything after the cursor is still there.
	Resumed State = "resumed"
	// Truncated: entries after the cursor were trimmed away.
	Truncated State = "truncated"
	// Reset: the cursor is of a history that Redis no longer has.
	Reset State = "reset"
)

// place is what Redis knows of a room around one ID.
type place struct {
	begun       bool   // the stream exists
	epoch       string // noEpoch if it does not
	n           int64  // of the last entry
	trimmed     ID     // through here
	first, last ID     // zero in an empty stream
	firstN      int64
	here        bool // the entry at the ID stands, or is known to be erased
	gone        bool // it was before the first entry kept, but nobody recorded its trimming
	entries     []Entry
	more        bool // there are entries beyond those asked for
}

// judge says whether a reader at the cursor can be continued exactly.
func (p *place) judge(cursor Cursor) State {
	id := cursor.ID
	nothingSeen := id.IsZero() && (cursor.Epoch == "" || cursor.Epoch == noEpoch)
	switch {
	case nothingSeen && p.trimmed.IsZero():
		return Resumed
	case nothingSeen:
		return Truncated
	case !p.begun || cursor.Epoch != "" && cursor.Epoch != p.epoch:
		return Reset
	case id.Before(p.trimmed) || p.gone:
		return Truncated
	case id == p.trimmed || p.here:
		return Resumed // the last that was trimmed: nothing after it is missing
	case id.IsZero():
		return Resumed
	}
	return Reset // above the last, or lost by a failover
}

// through is the cursor before the first entry that is still kept.
func (p *place) through() Cursor { return Cursor{p.trimmed, p.epoch} }

// end is the cursor at the last entry there is.
func (p *place) end() Cursor {
	if p.last.IsZero() {
		return p.through()
	}
	return Cursor{p.last, p.epoch}
}

// probe is the question for a place, on its way in a pipeline.
type probe struct {
	room    string
	id      ID
	most    int64
	entries *redis.XMessageSliceCmd // nil: none wanted
	exists  *redis.IntCmd
	meta    *redis.SliceCmd
	at      *redis.XMessageSliceCmd
	erased  *redis.FloatCmd
	first   *redis.XMessageSliceCmd
	last    *redis.XMessageSliceCmd
}

// ask puts the question for the place at id, and for at most `most` entries in
// (id, upto], upto as XRANGE takes it. The entries come first: what the checks
// after them find unbroken was unbroken when they were read.
func (s *Store) ask(ctx context.Context, pipe redis.Pipeliner, room string, id ID, upto string, most int64) *probe {
	key := s.keys.room(room)
	p := &probe{room: room, id: id, most: most}
	if most > 0 {
		p.entries = pipe.XRangeN(ctx, key, "("+id.String(), upto, most)
	}
	p.exists = pipe.Exists(ctx, key)
	p.meta = pipe.HMGet(ctx, s.keys.meta(room), "epoch", "n", "trimmed")
	p.at = pipe.XRange(ctx, key, id.String(), id.String())
	p.erased = pipe.ZScore(ctx, s.keys.erased(room), id.String())
	p.first = pipe.XRangeN(ctx, key, "-", "+", 1)
	p.last = pipe.XRevRangeN(ctx, key, "+", "-", 1)
	return p
}

// answer reads the replies, after the pipeline was executed.
func (p *probe) answer() (*place, error) {
	erased := p.erased.Err()
	if errors.Is(erased, redis.Nil) {
		erased = nil
	}
	err := errors.Join(p.exists.Err(), p.meta.Err(), p.at.Err(), erased, p.first.Err(), p.last.Err())
	if p.entries != nil {
		err = errors.Join(err, p.entries.Err())
	}
	if err != nil {
		return nil, fmt.Errorf("read room %q: %w", p.room, wrap(err))
	}
	found := &place{begun: p.exists.Val() > 0, epoch: noEpoch}
	if !found.begun {
		return found, nil
	}
	found.readMeta(p.meta.Val())
	found.here = len(p.at.Val()) > 0 || p.erased.Err() == nil
	if first, last := parseEntries(p.first.Val()), parseEntries(p.last.Val()); len(first) > 0 && len(last) > 0 {
		found.first, found.firstN, found.last = first[0].ID, first[0].N, last[0].ID
		found.n = max(found.n, last[0].N)
	}
	if p.entries != nil {
		found.entries = parseEntries(p.entries.Val())
		found.more = int64(len(found.entries)) == p.most
	}
	return found, nil
}

func (p *place) readMeta(values []any) {
	field := func(i int) string { text, _ := values[i].(string); return text }
	if epoch := field(0); epoch != "" {
		p.epoch = epoch
	}
	p.n, _ = strconv.ParseInt(field(1), 10, 64)
	p.trimmed, _ = ParseID(field(2))
}

// find asks for one place.
func (s *Store) find(ctx context.Context, room string, id ID, upto string, most int64) (*place, error) {
	pipe := s.reads.Pipeline()
	question := s.ask(ctx, pipe, room, id, upto, most)
	pipe.Exec(ctx)
	found, err := question.answer()
	if err != nil {
		return nil, err
	}
	return found, s.noticeTrim(ctx, room, id, found)
}

// noticeTrim finds that somebody trimmed the stream by hand. Redis keeps no
// record of that, so it is made up for where the numbers prove it.
func (s *Store) noticeTrim(ctx context.Context, room string, id ID, found *place) error {
	if !found.begun || found.here || !id.Before(found.first) {
		return nil
	}
	if !found.trimmed.IsZero() {
		found.gone = found.trimmed.Before(id)
		return nil
	}
	if found.firstN <= 1 {
		return nil
	}
	before := strconv.FormatUint(found.first.Millis, 10)
	erased, err := s.reads.ZCount(ctx, s.keys.erased(room), "-inf", before).Result()
	if err != nil {
		return fmt.Errorf("count what room %q erased: %w", room, wrap(err))
	}
	if found.firstN-1 <= erased {
		return nil
	}
	found.trimmed = found.first.previous()
	s.log.Warn("a stream was trimmed by somebody else", "room", room, "through", found.trimmed)
	if err := s.reads.HSet(ctx, s.keys.meta(room), "trimmed", found.trimmed.String()).Err(); err != nil {
		s.log.Warn("cannot record the trimming", "room", room, "error", err)
	}
	return nil
}
