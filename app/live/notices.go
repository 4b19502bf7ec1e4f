package live

import "slices"

// maxNotices is the maximum number of queued frames per client.
const maxNotices = 100

// notices are the queued frames, other than entries, that the pump writes.
type notices struct {
	heartbeat bool     // whether a heartbeat is due
	statuses  []bool   // status changes of Redis: away (true) or back (false)
	frames    [][]byte // lists of people in a room
}

// take removes all notices and returns them in one slice. It returns nil if there are none.
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
		return frames[0] // not copied, because feeds share it
	}
	return slices.Concat(frames...)
}

// Notify queues an optional frame about a room. It drops the frame if the client is too slow, or does
// not follow the room.
func (f *Feed) Notify(room string, frame []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rooms[room] != nil && len(f.notices.frames) < maxNotices {
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

// notifyStatus queues a status change of Redis. A slow client receives only the first and the last of
// several changes.
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
