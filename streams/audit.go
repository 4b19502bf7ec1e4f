package streams

import (
	"context"
	"fmt"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// AuditRoom is the room of the Audit entries, which record administrative actions. Only a Moderator or
// an Owner may read it, and only Record appends to it. CheckRoom refuses its name.
const AuditRoom = "_audit"

// Record appends an Audit entry to the AuditRoom, whatever the user's rank. It sets entry.Kind, and is
// otherwise like Append.
func (a Access) Record(ctx context.Context, entry Entry) (Stored, error) {
	granted, err := a.admit(AuditRoom, recording)
	if err != nil {
		return Stored{}, err
	}
	entry.Kind = Audit
	return a.store.append(ctx, granted, entry, true)
}

// AuditLog returns up to limit Audit entries with IDs before the given one, newest first. If before is zero, it
// returns the newest entries.
func (a Access) AuditLog(ctx context.Context, before ID, limit int) ([]Entry, error) {
	granted, err := a.admit(AuditRoom, reading)
	if err != nil {
		return nil, err
	}
	s := a.store
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	end := "+"
	if !before.IsZero() {
		end = "(" + before.String()
	}
	found, err := conns.Do(ctx, s.redis, 1, func(pipe redis.Pipeliner) *redis.XMessageSliceCmd {
		return pipe.XRevRangeN(ctx, s.keys.room(granted.room), end, "-", int64(limit))
	})
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", wrap(err))
	}
	return parseEntries(found.Val()), nil
}
