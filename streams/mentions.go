package streams

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"burble/streams/conns"
	"burble/streams/fold"

	"github.com/redis/go-redis/v9"
)

// maxNamesRead is how many of a room's newest entries Names reads. The web page shows about as many
// messages, and suggests the names of their authors.
const maxNamesRead = 250

// Names returns the names that a message in the room is likely to mention. These are the names of its
// latest authors and of the people who are present.
func (a Access) Names(ctx context.Context, room string) ([]string, error) {
	granted, err := a.admit(room, reading)
	if err != nil {
		return nil, err
	}
	s := a.store
	var member *redis.StringCmd
	newest, err := conns.Do(ctx, s.redis, 1+maxNamesRead/50, func(pipe redis.Pipeliner) *redis.XMessageSliceCmd {
		found := pipe.XRevRangeN(ctx, s.keys.room(granted.room), "+", "-", maxNamesRead)
		member = s.queryMember(ctx, pipe, granted)
		return found
	})
	if err == nil {
		err = checkMember(member)
	}
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("read the names in room %q: %w", room, wrap(err))
	}
	names := make(map[string]bool)
	for _, entry := range parseEntries(newest.Val()) {
		names[entry.User.Name] = true
	}
	present := a.Present(ctx, room)
	for _, person := range present.People {
		names[person.Name] = true
	}
	delete(names, "")
	all := make([]string, 0, len(names))
	for name := range names {
		all = append(all, name)
	}
	return all, present.Err
}

// mentionsField stores the folded names, one per line. It is "\n" if there are none, and missing if the
// author's server did not look for names.
var mentionsField = storedField{
	name: "at", isOptional: true,
	get: func(entry *Entry) string {
		if entry.Mentions != nil && len(entry.Mentions) == 0 {
			return "\n"
		}
		return strings.Join(entry.Mentions, "\n")
	},
	set: func(entry *Entry, value string) error {
		entry.Mentions = []string{}
		for name := range strings.SplitSeq(value, "\n") {
			if name != "" {
				entry.Mentions = append(entry.Mentions, name)
			}
		}
		return nil
	},
}

// mentions reports whether the entry mentions the folded name.
func (e *Entry) mentions(folded string) bool {
	if e.Mentions == nil { // a server of an older release appended it
		return hasName(fold.String(e.Text), folded)
	}
	return slices.Contains(e.Mentions, folded)
}

// hasName reports whether text contains @ and the name, without a letter or digit directly before or
// after. Both text and name are folded.
func hasName(text, name string) bool {
	for at := 0; name != ""; {
		i := strings.Index(text[at:], "@"+name)
		if i < 0 {
			break
		}
		from := at + i
		at = from + 1
		before, _ := utf8.DecodeLastRuneInString(text[:from])
		after, _ := utf8.DecodeRuneInString(text[at+len(name):])
		if !fold.IsSpacedWord(before) && !fold.IsSpacedWord(after) {
			return true
		}
	}
	return false
}
