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
	trimmedN    int64
	first, last ID    // zero in an empty stream
	firstN      int64 // of the first entry, or of the next one in an empty stream
	here        bool  // the entry at the ID stands, or is known to be erased
	reaches     bool  // so it is with the end of the window
	entries     []Entry
	more        bool // there are entries beyond those asked for
}

// judge says whether a reader at the cursor can be continued exactly.
func (p *place) judge(cursor Cursor) State {
	if planted("no_checks") {
		return Resumed
	}
	id := cursor.ID
	anyEpoch := cursor.Epoch == "" || cursor.Epoch == noEpoch
	nothingSeen := id.IsZero() && anyEpoch
	switch {
	case nothingSeen && p.trimmed.IsZero():
		return Resumed
	case nothingSeen:
		return Truncated
	case !p.begun || !anyEpoch && cursor.Epoch != p.epoch:
		return Reset
	case id.Before(p.trimmed):
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
	at      *spot
	end     *spot // of the window; nil: it has none
	first   *redis.XMessageSliceCmd
	last    *redis.XMessageSliceCmd
}

// spot is the question whether a server has, or had, an entry with the ID.
type spot struct {
	stands *redis.XMessageSliceCmd
	erased *redis.FloatCmd
}

func (s *Store) askSpot(ctx context.Context, pipe redis.Pipeliner, room string, id ID) *spot {
	return &spot{
		stands: pipe.XRange(ctx, s.keys.room(room), id.String(), id.String()),
		erased: pipe.ZScore(ctx, s.keys.erased(room), id.String()),
	}
}

func (s *spot) err() error {
	if err := s.erased.Err(); !errors.Is(err, redis.Nil) {
		return errors.Join(s.stands.Err(), err)
	}
	return s.stands.Err()
}

func (s *spot) known() bool { return len(s.stands.Val()) > 0 || s.erased.Err() == nil }

// ask puts the question for the place at id, and for at most `most` entries in
// (id, upto], upto as XRANGE takes it. The entries come first: what the checks
// after them find unbroken was unbroken when they were read. (In MULTI it would
// all be of one moment, but a full Redis refuses even reads there.) end is that of
// the window, zero if it has none.
func (s *Store) ask(ctx context.Context, pipe redis.Pipeliner, room string, id ID, upto string, most int64, end ID) *probe {
	key := s.keys.room(room)
	p := &probe{room: room, id: id, most: most}
	if most > 0 {
		p.entries = pipe.XRangeN(ctx, key, "("+id.String(), upto, most)
	}
	p.exists = pipe.Exists(ctx, key)
	p.meta = pipe.HMGet(ctx, s.keys.meta(room), "epoch", "n", "trimmed", "trimmed_n")
	p.at = s.askSpot(ctx, pipe, room, id)
	if !end.IsZero() {
		p.end = s.askSpot(ctx, pipe, room, end)
	}
	p.first = pipe.XRangeN(ctx, key, "-", "+", 1)
	p.last = pipe.XRevRangeN(ctx, key, "+", "-", 1)
	return p
}

// answer reads the replies, after the pipeline was executed.
func (p *probe) answer() (*place, error) {
	err := errors.Join(p.exists.Err(), p.meta.Err(), p.at.err(), p.first.Err(), p.last.Err())
	if p.entries != nil {
		err = errors.Join(err, p.entries.Err())
	}
	if p.end != nil {
		err = errors.Join(err, p.end.err())
	}
	if err != nil {
		return nil, fmt.Errorf("read room %q: %w", p.room, wrap(err))
	}
	found := &place{begun: p.exists.Val() > 0, epoch: noEpoch}
	if !found.begun {
		return found, nil
	}
	found.readMeta(p.meta.Val())
	found.firstN = found.n + 1
	found.here = p.at.known()
	found.reaches = p.end != nil && p.end.known()
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
	p.trimmedN, _ = strconv.ParseInt(field(3), 10, 64)
}

// find asks for one place, and whether the server that answers has the window's end.
func (s *Store) find(ctx context.Context, room string, id ID, upto string, most int64, end ID) (*place, error) {
	for {
		pipe := s.redis.Retrying.Pipeline()
		question := s.ask(ctx, pipe, room, id, upto, most, end)
		pipe.Exec(ctx)
		found, err := question.answer()
		if err != nil || !found.begun || found.here || !found.last.IsZero() && !id.Before(found.first) {
			return found, err
		}
		if again, err := s.noticeTrim(ctx, room, found); err != nil || !again {
			return found, err
		}
	}
}

// errElsewhere is for an answer that is not of the history that the window is of: after
// a failover one connection may lead to the old primary for a moment, another to the new.
var errElsewhere = errors.New("redis answers from another history than the one that is followed")

// continues is an error unless the window goes on with what was found. Of two histories
// with one epoch only one has the window's end. An epoch that the window does not know is
// another matter: the tail will notice.
func (s *Store) continues(room string, seen *view, found *place) error {
	end := seen.upto.ID
	if planted("no_checks") || found.epoch != seen.upto.Epoch || end.IsZero() || found.reaches || !found.trimmed.Before(end) {
		return nil
	}
	s.tailOf(room).doubted.Store(true)
	return errElsewhere
}

// noticeTrim finds that somebody else trimmed the beginning of the stream. again
// is set when the stream is no longer as it was found.
func (s *Store) noticeTrim(ctx context.Context, room string, found *place) (again bool, err error) {
	if found.firstN == found.trimmedN+1 {
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
		return false, fmt.Errorf("see who trimmed room %q: %w", room, wrap(err))
	case reply[0] == "again":
		return true, nil
	case reply[1] != "":
		s.log.Warn("a stream was trimmed by somebody else", "room", room, "through", reply[0])
	}
	found.trimmed, err = ParseID(reply[0])
	return false, err
}
