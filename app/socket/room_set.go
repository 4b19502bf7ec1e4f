package socket

import (
	"maps"
	"slices"
	"sync"
)

// roomSet is a set of rooms. It is safe for concurrent use, because a room may be closed while the client
// follows another one.
type roomSet struct {
	mu    sync.Mutex
	rooms map[string]bool
}

// add adds a room, and reports whether it is new.
func (s *roomSet) add(room string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rooms[room] {
		return false
	}
	if s.rooms == nil {
		s.rooms = make(map[string]bool, 1)
	}
	s.rooms[room] = true
	return true
}

// remove removes a room, and reports whether the set had it.
func (s *roomSet) remove(room string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	had := s.rooms[room]
	delete(s.rooms, room)
	return had
}

func (s *roomSet) has(room string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rooms[room]
}

func (s *roomSet) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rooms)
}

func (s *roomSet) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.rooms))
}
