package streams

import (
	"context"
	"time"
)

// SetMaxBlock sets maxBlock for the Stores that are opened next. restore undoes it.
func SetMaxBlock(d time.Duration) (restore func()) {
	old := maxBlock
	maxBlock = d
	return func() { maxBlock = old }
}

// SetMaxWindowsBytes sets how much the windows of the Store may hold.
func SetMaxWindowsBytes(s *Store, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.maxWindowsBytes = most
}

// WindowsBytes returns how much they hold.
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

// RoomKey returns the key of a room's stream, which tests change as an operator may.
func RoomKey(room string) string { return keys{}.room(room) }

// ActivityKey returns the key of the room's activity stream.
func ActivityKey(room string) string { return keys{}.activity(bucketOf(room)) }

// NoteActivity does to a room's window what activity does, without any.
func NoteActivity(s *Store, room string) {
	if w := s.window(room); w != nil {
		w.markMoved()
	}
}

// WatchEviction is what Run calls with a tick a minute.
func (s *Store) WatchEviction(ctx context.Context, ticks <-chan time.Time) {
	s.watchEviction(ctx, ticks)
}
