package bots

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"burble/app/chaos/check"
	"burble/app/client"
)

// Follower is a client that reads rooms and keeps a cursor for each. When its connection ends,
// it resumes on any server. A restless follower also behaves like a client that stalls, sleeps,
// changes servers or has an unusual cursor.
type Follower struct {
	*Environment
	name      string
	readRooms readFunc
	rooms     []string
	random    *rand.Rand
	restless  bool
	account   *Account // nil unless only members may read the rooms

	mu             sync.Mutex
	transcripts    map[string]*check.Transcript // by room
	cursors        map[string]check.Cursor      // current cursors, by room
	earlierCursors map[string]check.Cursor      // cursors from some time ago, by room
	behavior       string                       // behavior on the next connection; "" is normal
	targets        map[string]check.ID          // the rooms' ends when it reconnected; nil once it has caught up
}

// behaviors lists the behaviors of restless followers. The first three affect only timing. The
// others change what the follower requests when it reconnects.
var behaviors = []string{"stalls", "sleeps", "changes servers", "rereads", "has a future cursor", "has another epoch", "wants the newest"}

// NewFollower returns a follower. The protocol is "websocket", "sse" or "ndjson". Only with
// "websocket" may it read more than one room.
func (s *Environment) NewFollower(name, protocol string, restless bool, rooms ...string) *Follower {
	f := &Follower{
		Environment: s, name: name, readRooms: protocols[protocol], rooms: rooms, restless: restless, random: s.Random(name),
		transcripts: make(map[string]*check.Transcript), cursors: make(map[string]check.Cursor), earlierCursors: make(map[string]check.Cursor),
	}
	for _, room := range rooms {
		f.transcripts[room] = s.Record.newTranscript(name, room)
	}
	return f
}

// NewMember returns a follower with an account. It reads one hidden room while the account is a member.
func (s *Environment) NewMember(name, protocol string, restless bool, account *Account, room string) *Follower {
	f := s.NewFollower(name, protocol, restless, room)
	f.account, f.transcripts[room].Account = account, account.User
	return f
}

// token returns the token of the next connection.
func (f *Follower) token() string {
	if f.account != nil {
		return f.account.Token()
	}
	return f.Token
}

// Run reads until ctx ends.
func (f *Follower) Run(ctx context.Context) {
	for ctx.Err() == nil {
		began := time.Now()
		connection, end := context.WithCancel(ctx)
		if f.restless && !f.isRepaired() {
			f.mu.Lock()
			if f.random.IntN(3) > 0 {
				f.behavior = behaviors[f.random.IntN(len(behaviors))]
			}
			life := 1000 + f.random.IntN(5000)
			if f.account != nil && f.random.IntN(2) == 0 { // looks into the room briefly, and often
				f.behavior, life = "wants the newest", 300+f.random.IntN(1200)
			}
			f.mu.Unlock()
			time.AfterFunc(time.Duration(life)*time.Millisecond, end)
		}
		token := f.token()
		err := f.readRooms(connection, f.anyServer(f.random, token), f.follows(token), func(frame client.Frame) error { return f.handle(ctx, began, frame) })
		end()
		if refused, ok := errors.AsType[*client.Error](err); ok && f.account != nil {
			f.addRefusal(refused)
			pause(ctx, 20*time.Millisecond)
		}
		f.mu.Lock()
		pause := time.Duration(5+f.random.IntN(200)) * time.Millisecond
		if f.behavior == "sleeps" && !f.isRepaired() {
			pause = time.Duration(f.random.IntN(6000)) * time.Millisecond
		}
		f.mu.Unlock()
		f.waitUnlessRepaired(ctx, pause)
	}
}

// follows returns the rooms that the next connection follows, with their cursors.
func (f *Follower) follows(token string) (follows []client.Follow) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.targets = make(map[string]check.ID)
	behavior := f.behavior
	if f.isRepaired() {
		behavior = ""
	}
	f.behavior = ""
	for _, room := range f.rooms {
		e := check.Event{At: time.Now(), Kind: check.Requested, Cursor: f.cursors[room], Session: token}
		follow := client.Follow{Room: room}
		switch behavior {
		case "rereads":
			e.Cursor = f.earlierCursors[room]
		case "has a future cursor":
			e.Cursor.ID.Millis += uint64(time.Hour / time.Millisecond)
		case "has another epoch":
			e.Cursor.Epoch = "Elsewhere"
		case "wants the newest":
			e.Fresh, follow.Last = true, f.random.IntN(100)
			if f.account != nil {
				follow.Last %= 4 // so few that a removal would not be among them
			}
		}
		if e.Cursor.IsNewRoom() || e.Cursor.Epoch == "0" {
			e.Cursor = check.Beginning
		}
		if !e.Fresh {
			follow.After = e.Cursor.String()
		}
		if behavior != "" {
			f.targets = nil
		}
		f.transcripts[room].Add(e)
		follows = append(follows, follow)
	}
	return follows
}

// handle adds a frame to the transcript of its room, and updates the cursor.
func (f *Follower) handle(ctx context.Context, began time.Time, frame client.Frame) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if refused, ok := frame.(*client.Error); ok {
		if f.account != nil {
			return refused
		}
		f.Record.AddFinding(check.WrongReply, "%s: got error %+v", f.name, *refused)
		return nil
	}
	room, e, err := check.NewEvent(frame, &f.Record.Pool)
	if err != nil {
		f.Record.AddFinding(check.Invented, "%s: %v", f.name, err)
		return err
	}
	if e.Kind == check.Closed && f.account != nil {
		room = f.rooms[0] // a closed frame without a room means that the session has ended
	}
	if room == "" {
		return nil
	}
	transcript := f.transcripts[room]
	if transcript == nil {
		f.Record.AddFinding(check.Leaked, "%s: got a frame of room %q without following it", f.name, room)
		return nil
	}
	e.At = time.Now()
	transcript.Add(e)
	if e.Kind == check.Closed {
		return errClosed
	}
	if response, ok := frame.(*client.Followed); ok {
		f.cursors[room] = e.Cursor
		if f.targets != nil {
			last, _ := check.ParseCursor(response.Last)
			f.targets[room] = last.ID
		}
	} else {
		f.cursors[room] = e.Upto
		if f.random.IntN(20) == 0 {
			f.earlierCursors[room] = e.After
		}
	}
	f.recordCatchUp(began)
	if f.behavior == "stalls" {
		f.behavior = ""
		f.waitUnlessRepaired(ctx, time.Duration(f.random.IntN(4000))*time.Millisecond)
	}
	return nil
}

// errClosed ends the connection to a room that the server has closed.
var errClosed = errors.New("closed")

// addRefusal adds the refusal of a follow to the transcript.
func (f *Follower) addRefusal(refused *client.Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.transcripts[f.rooms[0]].Add(check.Event{At: time.Now(), Kind: check.Refused, Code: refused.Code})
}

// IsShutOut reports whether the last reply to the follower was that it may not read its room.
func (f *Follower) IsShutOut() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	last := f.transcripts[f.rooms[0]].LastReply()
	return last != nil && (last.Kind == check.Closed || last.Kind == check.Refused && last.Code == "not_found")
}

// Account returns the ID of the follower's account, or "".
func (f *Follower) Account() string {
	if f.account == nil {
		return ""
	}
	return f.account.User
}

// recordCatchUp records how long the follower took to reach the ends that the rooms had when it
// reconnected.
func (f *Follower) recordCatchUp(began time.Time) {
	if len(f.targets) < len(f.rooms) {
		return
	}
	for room, last := range f.targets {
		if f.cursors[room].ID.Before(last) {
			return
		}
	}
	f.targets = nil
	f.Record.addResume(time.Since(began))
}

// IsAt reports whether the follower has read its rooms to these ends.
func (f *Follower) IsAt(ends map[string]check.ID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, room := range f.rooms {
		if f.cursors[room].ID != ends[room] {
			return false
		}
	}
	return true
}

// cursorBefore returns the follower's cursor in the room before it read the last count entries.
func (f *Follower) cursorBefore(room string, count int) check.Cursor {
	f.mu.Lock()
	defer f.mu.Unlock()
	events, entries := f.transcripts[room].Events, 0
	for i := len(events) - 1; i >= 0; i-- {
		if entries += len(events[i].Entries); entries >= count && events[i].Kind == check.Batch {
			return events[i].After
		}
	}
	return check.Beginning
}
