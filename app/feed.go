package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"burble/app/protocol"
	"burble/streams"
)

const (
	// slowAfter is how long one write may take before its reader is too slow.
	slowAfter = 10 * time.Second
	// lingerFor is how long a reader that was too slow is given to take the rest
	// of the frame it stopped in, and the reason after it.
	lingerFor = 10 * time.Second
	// farewell is how long the other side of a close may take.
	farewell = time.Second
	// sendBuffer bounds what the kernel keeps for a reader that stalls.
	sendBuffer = 128 << 10
	// notesMost bounds the notes that wait for a slow reader.
	notesMost = 100
	// answersMost bounds the answers that wait for the entry they are about.
	answersMost = 16
)

// Close codes: RFC 6455 section 7.4.1, and one of the protocol's own.
const (
	closeGone       = 0 // nobody is there to hear it
	closeNormal     = 1000
	closeProtocol   = 1002
	closeNotText    = 1003
	closeNotUTF8    = 1007
	closeNotAllowed = 1008
	closeTooBig     = 1009
	closeBroken     = 1011
	closeRestart    = 1012
	closeTooSlow    = 4008
)

// A codec is how one kind of connection says things: the same read, in WebSocket
// frames, server-sent events, or lines.
type codec interface {
	followed(room string, followed *streams.Followed) []byte
	batch(batch *streams.Batch, form protocol.Form) []byte
	signal(room string, signal *streams.Signal) []byte // nil: not told
	status(away bool) []byte
	beat() []byte
	end(code int, reason string) []byte
}

// A feed is a connection that reads rooms. It pulls: when a room has something
// after the feed's cursor, the feed takes it, writes it and asks again; while the
// connection is busy, what arrives waits in the room and not here.
//
// An idle feed has no goroutine that writes. When it is ready it waits for one of
// the pumps, which writes until there is nothing left to read. One pump at a time
// serves a feed, and only pumps write entries, so that they keep their order.
type feed struct {
	app        *App
	conn       net.Conn
	descriptor int // the same, to write without waiting; 0: there is none
	codec      codec
	reader     string // ID of the user who reads, "" for nobody
	log        *slog.Logger

	mu      sync.Mutex // guards what follows
	rooms   map[string]*following
	queue   []*following // that may have something to read
	beatDue bool
	news    []bool   // of Redis going away (true) and coming back, unsaid yet
	notes   [][]byte // frames that may be missed, but not often
	answers [][]byte // about what was appended, to be written with it
	pumping bool
	closed  bool // it is not pumped any more
	code    int  // why it ends
	reason  string
	running sync.WaitGroup // the pump

	writing sync.Mutex // held for each write; guards broken and rest
	broken  bool
	rest    []byte // to be written first: how the answer begins, or of a frame that the kernel did not take all of
}

// following is one room that a feed follows.
type following struct {
	reader *streams.Reader
	form   protocol.Form
	queued bool // guarded by the feed's mu, like gone
	gone   bool
}

// follow reads the room for the user from there on, instead of from where it read it before.
func (f *feed) follow(user streams.User, room string, from streams.From, form protocol.Form) error {
	next := &following{form: form}
	reader, err := f.app.store.As(user).Follow(room, from, func(*streams.Reader) { f.ready(next) })
	if err != nil {
		return err
	}
	f.unfollow(room)
	f.mu.Lock()
	next.reader = reader // only now may ready be heard
	if f.closed {
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

// unfollow ends the reading of a room, if it was read.
func (f *feed) unfollow(room string) {
	f.mu.Lock()
	old := f.rooms[room]
	if old != nil {
		old.gone = true
		delete(f.rooms, room)
	}
	f.mu.Unlock()
	if old != nil {
		old.reader.Close()
	}
}

// mayFollow says whether the room is one of those that the feed reads, or can be.
func (f *feed) mayFollow(room string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.rooms) < roomsMost || f.rooms[room] != nil
}

// ready notes that a room may have something to read.
func (f *feed) ready(room *following) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !room.queued && room.reader != nil {
		room.queued = true
		f.queue = append(f.queue, room)
		f.start()
	}
}

// start has the feed pumped, if it is not yet. The caller holds mu.
func (f *feed) start() {
	if !f.pumping && !f.closed {
		f.pumping = true
		f.running.Add(1)
		f.app.pumps.push(f)
	}
}

// pump writes what there is. Where one that may not wait would have to, a goroutine
// of the feed's own goes on.
func (f *feed) pump(mayWait bool) {
	if f.pumpOut(mayWait) {
		f.running.Done()
	}
}

// pumpOut goes room by room in turn until there is nothing. It says false when it left
// the rest to another.
func (f *feed) pumpOut(mayWait bool) (done bool) {
	done = true // after a panic, too
	defer f.recovered()
	for {
		room, said, ok := f.take()
		if !ok {
			return true
		}
		var read []byte
		if room != nil {
			if said, read, ok = f.read(room, said, mayWait); !ok {
				go f.goOn(said)
				return false
			}
		}
		if mayWait {
			f.writeBoth(said, read)
		} else if left, ok := f.writeNow(said, read); !ok {
			go f.goOn(left)
			return false
		}
	}
}

// goOn writes, and pumps, and waits for it.
func (f *feed) goOn(frame []byte) {
	f.write(frame)
	f.pump(true)
}

// recovered keeps a panic of the pump from ending the process: it ends one
// connection, whose client comes back with its cursor.
func (f *feed) recovered() {
	if cause := recover(); cause != nil {
		f.app.logPanic(cause)
		f.hangUp(closeBroken, "something went wrong")
	}
}

// take takes the next thing to do, a frame to write, a room to read after it, or both; not
// ok: there is nothing.
func (f *feed) take() (room *following, frame []byte, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		f.pumping = false
		return nil, nil, false
	}
	if frame = f.said(); frame != nil {
		return nil, frame, true
	}
	frame = slices.Concat(f.answers...)
	f.answers = nil
	for len(f.queue) > 0 {
		room = f.queue[0]
		if len(f.queue) == 1 {
			f.queue = f.queue[:0] // and not [1:]: what it holds is used again
		} else {
			f.queue = f.queue[1:]
		}
		if room.queued = false; !room.gone {
			return room, frame, true
		}
	}
	if frame != nil {
		return nil, frame, true
	}
	f.pumping = false
	return nil, nil, false
}

// read is what a room has next, to be written after what is said; and the room is due
// again, unless that was all. Not ok: it would have to wait for that, and may not.
func (f *feed) read(room *following, said []byte, mayWait bool) (head, frame []byte, ok bool) {
	read, ok := room.reader.TryNext()
	if !ok && !mayWait {
		f.ready(room)
		return said, nil, false
	}
	if !ok {
		var err error
		if read, err = room.reader.Next(f.app.ctx); err != nil {
			if !errors.Is(err, context.Canceled) {
				f.log.Debug("cannot read on", "room", room.reader.Room, "error", err)
			}
			return said, nil, true
		}
	}
	frame = f.encoded(room, read)
	if read.Followed != nil { // and what follows, if it is there
		if next, ok := room.reader.TryNext(); ok {
			said, read, frame = slices.Concat(said, frame), next, f.encoded(room, next)
		}
	}
	if !read.IsEmpty() && !read.AtEnd {
		f.ready(room)
	}
	return said, frame, true
}

// encoded is what was read as this connection says it; nil: nothing.
func (f *feed) encoded(room *following, read streams.Read) []byte {
	switch {
	case read.Followed != nil:
		return f.codec.followed(room.reader.Room, read.Followed)
	case read.Batch != nil:
		return f.codec.batch(read.Batch, room.form)
	}
	return f.signals(room.reader.Room, read.Signals)
}

// signals are those that are for this feed.
func (f *feed) signals(room string, signals []*streams.Signal) (frames []byte) {
	for _, signal := range signals {
		if signal.Kind != streams.Seen || signal.User.ID == f.reader {
			frames = append(frames, f.codec.signal(room, signal)...)
		}
	}
	return frames
}
