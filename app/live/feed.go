package live

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"

	"burble/app/protocol"
	"burble/app/ws"
	"burble/streams"
)

// MaxRooms is the most rooms that one feed may follow.
const MaxRooms = 5000

// A Feed is a connection that follows rooms.
//
// An idle feed has no goroutine that writes. When it has something to write it is queued for the
// pumps, and one of them writes until there is nothing left. Only pumps write entries, and at most
// one serves a feed at a time, so entries keep their order.
type Feed struct {
	engine *Engine
	conn   net.Conn
	raw    syscall.RawConn // of conn, for writing without blocking; may be nil
	codec  Codec
	userID string // of the reader, "" for a client without a name

	mu        sync.Mutex // guards this group
	rooms     map[string]*following
	queue     []*following // rooms that may have something to read
	notices   notices
	isPumping bool // queued for the pumps, or served by one
	isClosed  bool // no longer pumped
	code      int  // why it is closed
	reason    string
	pumping   sync.WaitGroup // counts isPumping

	writing   sync.Mutex // held during each write; guards this group
	isBroken  bool       // a write failed
	unwritten []byte     // to write first: the head of the response, or the rest of a frame that the kernel took in part
}

// following is one room that a feed follows.
type following struct {
	reader    *streams.Reader
	form      protocol.Form
	isQueued  bool // this and isDropped are guarded by the feed's mu
	isDropped bool // no longer followed
}

// Follow follows the room with the reader that open returns, which replaces the room's previous
// reader. open passes ready to the store, which calls it whenever there may be something to read.
func (f *Feed) Follow(room string, form protocol.Form, open func(ready func(*streams.Reader)) (*streams.Reader, error)) error {
	if !f.mayFollow(room) {
		return protocol.Errorf(protocol.BadField, "room", "A connection follows at most %d rooms.", MaxRooms)
	}
	next := &following{form: form}
	reader, err := open(func(*streams.Reader) { f.ready(next) })
	if err != nil {
		return err
	}
	f.Unfollow(room)
	f.mu.Lock()
	next.reader = reader // until now, ready does nothing
	if f.isClosed {
		f.mu.Unlock()
		reader.Close()
		return nil
	}
	if f.rooms == nil {
		f.rooms = make(map[string]*following, 1)
	}
	f.rooms[room] = next
	f.mu.Unlock()
	f.ready(next)
	return nil
}

// Unfollow stops reading a room. It does nothing if the room is not followed.
func (f *Feed) Unfollow(room string) {
	f.mu.Lock()
	old := f.rooms[room]
	if old != nil {
		old.isDropped = true
		delete(f.rooms, room)
	}
	f.mu.Unlock()
	if old != nil {
		old.reader.Close()
	}
}

// mayFollow reports whether the feed already follows the room, or fewer than MaxRooms.
func (f *Feed) mayFollow(room string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.rooms) < MaxRooms || f.rooms[room] != nil
}

// ready queues a room that may have something to read.
func (f *Feed) ready(room *following) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if room.reader != nil && !room.isQueued && !room.isDropped {
		room.isQueued = true
		f.queue = append(f.queue, room)
		f.startPump()
	}
}

// startPump queues the feed for the pumps, unless it is queued or served already. The caller holds
// mu.
func (f *Feed) startPump() {
	if !f.isPumping && !f.isClosed {
		f.isPumping = true
		f.pumping.Add(1)
		f.engine.pumps.push(f)
	}
}

// pump writes everything there is to write. If it would block and must not, a goroutine of the feed's
// own continues.
func (f *Feed) pump(mayBlock bool) {
	if f.drainQueue(mayBlock) {
		f.pumping.Done()
	}
}

// drainQueue writes notices and reads and writes rooms until there is nothing left. It returns false
// if another goroutine continues.
func (f *Feed) drainQueue(mayBlock bool) (done bool) {
	done = true // also after a panic
	defer f.Recover()
	for {
		room, frame, ok := f.next()
		if !ok {
			return true
		}
		var head []byte
		if room != nil {
			if head, frame, ok = f.read(room, mayBlock); !ok {
				go f.continueBlocking(nil)
				return false
			}
		}
		if mayBlock {
			f.writeBoth(head, frame)
		} else if left, ok := f.tryWrite(head, frame); !ok {
			go f.continueBlocking(left)
			return false
		}
	}
}

// continueBlocking writes the frame, then pumps, blocking as needed.
func (f *Feed) continueBlocking(frame []byte) {
	f.Write(frame)
	f.pump(true)
}

// Recover must be deferred. It keeps a panic from ending the process, and closes this connection
// instead: its client reconnects with its cursor.
func (f *Feed) Recover() {
	if cause := recover(); cause != nil {
		f.engine.logPanic(cause)
		f.HangUp(ws.CloseInternal, errorReason)
	}
}

// next returns the notices to write, or else the room to read. ok is false if there is neither, which
// ends the pump.
func (f *Feed) next() (room *following, notices []byte, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isClosed {
		f.isPumping = false
		return nil, nil, false
	}
	if notices = f.notices.take(f.codec); notices != nil {
		return nil, notices, true
	}
	for len(f.queue) > 0 {
		room = f.queue[0]
		if len(f.queue) == 1 {
			f.queue = f.queue[:0] // not [1:], which would give up the array
		} else {
			f.queue = f.queue[1:]
		}
		if room.isQueued = false; !room.isDropped {
			return room, nil, true
		}
	}
	f.isPumping = false
	return nil, nil, false
}

// read reads a room once and returns the one or two frames to write. It queues the room again unless
// it was read to its end. ok is false if the read would block and must not.
func (f *Feed) read(room *following, mayBlock bool) (head, frame []byte, ok bool) {
	read, ok := room.reader.TryNext()
	if !ok && !mayBlock {
		f.ready(room)
		return nil, nil, false
	}
	if !ok {
		var err error
		if read, err = room.reader.Next(f.engine.ctx); err != nil {
			if !errors.Is(err, context.Canceled) {
				f.engine.log.Debug("cannot continue a room", "room", room.reader.Room, "error", err)
			}
			return nil, nil, true
		}
	}
	frame = f.encode(room, read)
	if read.Followed != nil { // write it together with the first entries, if they can be read at once
		if next, ok := room.reader.TryNext(); ok {
			head, read, frame = frame, next, f.encode(room, next)
		}
	}
	if !read.IsEmpty() && !read.AtEnd {
		f.ready(room)
	}
	return head, frame, true
}

// encode encodes what was read for this connection. It returns nil if there is nothing to write.
func (f *Feed) encode(room *following, read streams.Read) []byte {
	switch {
	case read.Followed != nil:
		return f.codec.followed(room.reader.Room, read.Followed)
	case read.Batch != nil:
		return f.codec.batch(read.Batch, room.form)
	}
	return f.encodeSignals(room.reader.Room, read.Signals)
}

// encodeSignals encodes the signals for this reader. What a user has read is sent to the connections
// of that user only.
func (f *Feed) encodeSignals(room string, signals []*streams.Signal) (frames []byte) {
	for _, signal := range signals {
		if signal.Kind != streams.MarkedRead || signal.User.ID == f.userID {
			frames = append(frames, f.codec.signal(room, signal)...)
		}
	}
	return frames
}
