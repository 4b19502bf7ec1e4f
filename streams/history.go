package streams

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed page.lua
var pageLua string

var pageScript = redis.NewScript(pageLua)

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
func (s *Store) Page(ctx context.Context, room string, where Where) (Page, error) {
	if err := CheckRoom(room); err != nil {
		return Page{}, err
	}
	if s.options.MaxAge > 0 {
		if err := s.trim(ctx, room); err != nil {
			return Page{}, err
		}
	}
	page, err := s.page(ctx, room, where)
	if err != nil {
		return Page{}, fmt.Errorf("read a page of room %q: %w", room, err)
	}
	return page, nil
}

func (s *Store) page(ctx context.Context, room string, where Where) (Page, error) {
	if !where.At.IsZero() {
		where.Around = ID{Millis: uint64(max(1, where.At.UnixMilli()))}
	}
	switch {
	case !where.Around.IsZero():
		return s.around(ctx, room, where)
	case !where.After.IsZero():
		newer, err := s.fold(ctx, room, false, "("+where.After.String(), where.Limit)
		if err != nil {
			return Page{}, err
		}
		page := Page{AsOf: newer.asOf, Entries: newer.entries, Older: where.After}
		if newer.more {
			page.Newer = newer.end
		}
		if len(page.Entries) > 0 {
			page.Older = page.Entries[0].ID
		}
		return page, nil
	}
	bound := "+"
	if !where.Before.IsZero() {
		bound = "(" + where.Before.String()
	}
	older, err := s.fold(ctx, room, true, bound, where.Limit)
	if err != nil {
		return Page{}, err
	}
	page := Page{AsOf: older.asOf, Entries: older.entries}
	if older.more {
		page.Older = older.end
	}
	if n := len(page.Entries); !where.Before.IsZero() {
		page.Newer = where.Before.previous()
		if n > 0 {
			page.Newer = page.Entries[n-1].ID
		}
	}
	return page, nil
}

// around is half a page before the place and the rest from it on.
func (s *Store) around(ctx context.Context, room string, where Where) (Page, error) {
	older := folded{more: true, end: where.Around}
	if half := where.Limit / 2; half > 0 {
		var err error
		if older, err = s.fold(ctx, room, true, "("+where.Around.String(), half); err != nil {
			return Page{}, err
		}
	}
	newer, err := s.fold(ctx, room, false, where.Around.String(), where.Limit-len(older.entries))
	if err != nil {
		return Page{}, err
	}
	page := Page{AsOf: cmp.Or(older.asOf, newer.asOf), Entries: append(older.entries, newer.entries...)}
	if older.more {
		page.Older = older.end
	}
	if newer.more {
		page.Newer = newer.end
	}
	return page, nil
}

// folded is one stretch in one direction.
type folded struct {
	asOf    Cursor
	entries []Entry // oldest first
	more    bool    // there may be more beyond end
	end     ID
}

// fold reads messages and tombstones from the bound on, as they are now.
func (s *Store) fold(ctx context.Context, room string, older bool, bound string, limit int) (folded, error) {
	direction := "newer"
	if older {
		direction = "older"
	}
	keys := s.appendKeys(room, "")[:4]
	reply, err := pageScript.Run(ctx, s.reads, keys, direction, bound, limit).Slice()
	if err != nil {
		return folded{}, wrap(err)
	}
	epoch, _ := reply[0].(string)
	last, _ := reply[1].(string)
	rest, _ := reply[4].(string)
	found := folded{asOf: Cursor{Epoch: cmp.Or(epoch, noEpoch)}}
	found.asOf.ID, _ = ParseID(last)
	for _, row := range list(reply[2]) {
		found.entries = append(found.entries, foldMessage(list(row)))
	}
	edge := bound
	for _, row := range list(reply[3]) {
		if entry, ok := tombstone(list(row)); ok && within(entry.ID, older, edge, rest) {
			found.entries = append(found.entries, entry)
		}
	}
	slices.SortFunc(found.entries, func(a, b Entry) int { return a.ID.Compare(b.ID) })
	found.cut(older, limit, rest)
	return found, nil
}

// cut keeps the limit's messages nearest to the bound, and says where to go on.
func (f *folded) cut(older bool, limit int, rest string) {
	over := len(f.entries) - limit
	f.more = rest != "" || over > 0
	if rest != "" {
		f.end, _ = ParseID(rest[1:])
	}
	if over > 0 && older {
		f.entries = f.entries[over:]
	} else if over > 0 {
		f.entries = f.entries[:limit]
	}
	if over > 0 && limit > 0 {
		f.end = f.entries[limit-1].ID
		if older {
			f.end = f.entries[0].ID
		}
	}
}

// within says whether a tombstone lies between the bound that was asked from
// and the place where the scan ended. Both are as XRANGE takes them.
func within(id ID, older bool, bound, rest string) bool {
	from, exclusive := bound, false
	if from != "" && from[0] == '(' {
		from, exclusive = from[1:], true
	}
	if edge, err := ParseID(from); err == nil {
		switch order := id.Compare(edge); {
		case order == 0 && exclusive, order > 0 && older, order < 0 && !older:
			return false
		}
	}
	if rest == "" {
		return true
	}
	end, err := ParseID(rest[1:])
	return err == nil && (older && !id.Before(end) || !older && !end.Before(id))
}

// amendment is a message's state in the amended hash, as append.lua writes it.
type amendment struct {
	Text      *string             `json:"t"`
	Edits     []string            `json:"e"`
	Reactions map[string][]string `json:"r"`
	Deleted   string              `json:"d"` // by this entry; and then, of the message:
	N         string              `json:"n"`
	Key       string              `json:"k"`
	UserID    string              `json:"u"`
	UserName  string              `json:"a"`
	ReplyTo   string              `json:"re"`
}

// foldMessage reads {ID, fields, state}.
func foldMessage(row []any) Entry {
	id, _ := row[0].(string)
	message := redis.XMessage{ID: id, Values: make(map[string]any)}
	fields := list(row[1])
	for i := 0; i+1 < len(fields); i += 2 {
		name, _ := fields[i].(string)
		message.Values[name] = fields[i+1]
	}
	entry := parseEntry(message)
	state, ok := parseAmendment(row[2])
	if !ok {
		return entry
	}
	if state.Text != nil {
		entry.Text = *state.Text
	}
	if n := len(state.Edits); n > 0 {
		entry.Edited, _ = ParseID(state.Edits[n-1])
	}
	entry.Reactions = state.Reactions
	return entry
}

// tombstone reads {ID, state} of an erased message; ok is false for an erased edit.
func tombstone(row []any) (Entry, bool) {
	name, _ := row[0].(string)
	id, err := ParseID(name)
	state, ok := parseAmendment(row[1])
	if err != nil || !ok || state.Deleted == "" {
		return Entry{}, false
	}
	entry := Entry{ID: id, Kind: Message, Key: state.Key, User: User{state.UserID, state.UserName}, Deleted: true}
	entry.N, _ = strconv.ParseInt(state.N, 10, 64)
	entry.ReplyTo, _ = ParseID(state.ReplyTo)
	return entry, true
}

func parseAmendment(text any) (amendment, bool) {
	var state amendment
	raw, _ := text.(string)
	ok := raw != "" && json.Unmarshal([]byte(raw), &state) == nil
	return state, ok
}

func list(value any) []any {
	items, _ := value.([]any)
	return items
}

// Room is a room as a list of rooms shows it.
type Room struct {
	Name string
	Last time.Time // of its last entry
}

// Rooms returns up to limit rooms, those with the newest entries first.
func (s *Store) Rooms(ctx context.Context, limit int) ([]Room, error) {
	pipe := s.reads.Pipeline()
	found := make([]*redis.ZSliceCmd, buckets)
	for bucket := range found {
		found[bucket] = pipe.ZRevRangeWithScores(ctx, s.keys.rooms(bucket), 0, int64(limit)-1)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("list the rooms: %w", wrap(err))
	}
	var rooms []Room
	for _, bucket := range found {
		for _, member := range bucket.Val() {
			name, _ := member.Member.(string)
			rooms = append(rooms, Room{name, time.UnixMilli(int64(member.Score))})
		}
	}
	slices.SortFunc(rooms, func(a, b Room) int { return b.Last.Compare(a.Last) })
	return rooms[:min(len(rooms), limit)], nil
}
