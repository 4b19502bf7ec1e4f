package streams

import (
	"context"
	"time"
)

// SetMaxBlock sets maxBlock for Stores that are opened later. restore undoes it.
func SetMaxBlock(d time.Duration) (restore func()) {
	old := maxBlock
	maxBlock = d
	return func() { maxBlock = old }
}

// SetMaxWindowsBytes sets the limit for all windows of the Store together.
func SetMaxWindowsBytes(s *Store, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.maxWindowsBytes = most
}

// WindowsBytes returns the size of all windows of the Store.
func WindowsBytes(s *Store) (bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.windows {
		if current := w.view.Load(); current != nil {
			bytes += current.bytes
		}
	}
	return bytes
}

// RoomKey returns the key of a room's stream, which tests change as an operator might.
func RoomKey(room string) string { return keys{}.room(room) }

// ActivityKey returns the key of the room's activity stream.
func ActivityKey(room string) string { return keys{}.activity(bucketOf(room)) }

// MarkMoved calls markMoved on the room's window, as the tail does after activity.
func MarkMoved(s *Store, room string) {
	if w := s.window(room); w != nil {
		w.markMoved()
	}
}

// WatchEviction calls watchEviction, to which Run passes one tick per minute.
func (s *Store) WatchEviction(ctx context.Context, ticks <-chan time.Time) {
	s.watchEviction(ctx, ticks)
}

// SetSweepInterval sets sweepInterval for Stores that run later. restore undoes it.
func SetSweepInterval(d time.Duration) (restore func()) {
	old := sweepInterval
	sweepInterval = d
	return func() { sweepInterval = old }
}

// ClaimSweep calls claimSweep, as a server does before it sweeps.
func ClaimSweep(s *Store) (isOwner bool, err error) { return s.claimSweep(context.Background()) }

// FilesKey returns the key of the sorted set of the files of the room's bucket.
func FilesKey(room string) string { return keys{}.files(bucketOf(room)) }
