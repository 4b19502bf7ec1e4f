package live

import "slices"

// maxNotices bounds the frames that wait for a slow client.
const maxNotices = 100

// notices are what a feed has to write besides entries.
type notices struct {
	heartbeat bool     // one is due
	statuses  []bool   // of Redis: went away (true), came back (false)
	frames    [][]byte // presence
}

// take returns the frames of all notices, in one piece, and empties them. It returns nil if
// there are none.
func (n *notices) take(codec Codec) []byte {
	frames := n.frames
	for _, away := range n.statuses {
		frames = append(frames, codec.status(away))
	}
	if n.heartbeat {
		frames = append(frames, codec.heartbeat())
	}
	*n = notices{}
	if len(frames) == 1 {
		return frames[0] // not copied: a crowd shares it
	}
	return slices.Concat(frames...)
}

// Notify queues a frame. One too many for a slow client is dropped, so it must be one that
// a client can miss.
func (f *Feed) Notify(frame []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.notices.frames) < maxNotices {
		f.notices.frames = append(f.notices.frames, frame)
		f.startPump()
	}
}

// notifyHeartbeat queues a heartbeat.
func (f *Feed) notifyHeartbeat() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notices.heartbeat = true
	f.startPump()
}

// notifyStatus queues that Redis went away or came back. A client too slow for both gets
// the last of several changes.
func (f *Feed) notifyStatus(away bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if statuses := f.notices.statuses; len(statuses) < 2 {
		f.notices.statuses = append(statuses, away)
	} else {
		statuses[1] = away
	}
	f.startPump()
}
