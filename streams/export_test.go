package streams

import "time"

// SetBlockFor sets how long the tails of the Stores that are opened next wait
// for activity, and returns what puts it back.
func SetBlockFor(d time.Duration) (restore func()) {
	old := blockFor
	blockFor = d
	return func() { blockFor = old }
}

// SetWindowsBytes sets how much the windows of the Store may hold.
func SetWindowsBytes(s *Store, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.windowsBytes = most
}

// WindowsHold is how much they do.
func WindowsHold(s *Store) (bytes int) {
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
func Move(s *Store, room string) {
	if w := s.window(room); w != nil {
		w.touched()
	}
}
