package live

import (
	"slices"

	"burble/streams"
)

// maxReadAhead is the maximum number of rooms of a feed that wait for Redis at once, including the one that its
// pump reads.
const maxReadAhead = 32

// readAhead holds the reads of queued rooms that a blocked pump has started. A feed that follows many
// rooms then waits for Redis about once instead of once per room.
//
// Only the pump that started a room's read uses its reader, and only after the read has ended.
type readAhead map[*followedRoom]*roomRead

type roomRead struct {
	done chan struct{} // closed when read and err are set
	read streams.Read
	err  error
}

// start starts the reads of the rooms at the head of the queue, except for current. The caller reads that room
// itself, but it may be in the queue again because it has become readable in the meantime.
func (a readAhead) start(f *Feed, current *followedRoom) {
	f.mu.Lock()
	rooms := slices.Clone(f.queue[:min(len(f.queue), maxReadAhead-1)])
	f.mu.Unlock()
	for _, room := range rooms {
		if room == current || a[room] != nil || len(a) >= maxReadAhead-1 {
			continue
		}
		ahead := &roomRead{done: make(chan struct{})}
		a[room] = ahead
		f.pumping.Add(1)
		go func() {
			defer f.pumping.Done()
			defer close(ahead.done)
			defer f.Recover()
			ahead.read, ahead.err = room.reader.Next(f.engine.ctx)
		}()
	}
}

// take waits for the room's read. ok is false if none was started.
func (a readAhead) take(room *followedRoom) (read streams.Read, err error, ok bool) {
	ahead := a[room]
	if ahead == nil {
		return streams.Read{}, nil, false
	}
	delete(a, room)
	<-ahead.done
	return ahead.read, ahead.err, true
}
