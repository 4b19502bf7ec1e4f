package streams

import "time"

// SetBlockFor sets how long the tails of the Stores that are opened next wait
// for activity, and returns what puts it back.
func SetMaxBlock(d time.Duration) (restore func()) {
	old := maxBlock
	maxBlock = d
	return func() { maxBlock = old }
}

// SetWindowsBytes sets how much the windows of the Store may hold.
func SetMaxWindowsBytes(s *Store, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.maxWindowsBytes = most
}

// WindowsHold is how much they do.
func WindowsBytes(s *Store) (bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.windows {
		if seen := w.view.Load(); seen != nil {
			bytes += seen.bytes
		}
	}
	return bytes
}

// RoomKey is the key of a room's stream, for a test that does to it what an operator may.
func RoomKey(room string) string { return keys{}.room(room) }

// ActivityKey is the key of the activity stream that names the room.
func ActivityKey(room string) string { return keys{}.activity(bucketOf(room)) }

// Move tells a room's window what activity does, whether there was any.
func NoteActivity(s *Store, room string) {
	if w := s.window(room); w != nil {
		w.noteActivity()
	}
}
