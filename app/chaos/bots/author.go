package bots

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"time"

	"burble/app/chaos/check"
	"burble/app/client"
)

// Author sends bursts of entries to its rooms. If a send gets no reply, it sends the entry again with the
// same key, to any server. Unless Faithful is set, it sometimes stops retrying.
type Author struct {
	*Environment
	name, user, token string
	useWebSocket      bool // otherwise HTTP
	rooms             []string
	random            *rand.Rand
	socket            *client.Socket
	bursts, count     int
	own               map[string][]check.ID // its last messages by room, to react to or delete
	deleted           map[check.ID]bool
}

// NewAuthor signs in an author with a new name.
func (s *Environment) NewAuthor(ctx context.Context, name string, useWebSocket bool, rooms ...string) (*Author, error) {
	a := &Author{
		Environment: s, name: name, useWebSocket: useWebSocket, rooms: rooms, random: s.Random(name),
		own: make(map[string][]check.ID), deleted: make(map[check.ID]bool),
	}
	server := s.anyServer(a.random, "")
	user, err := server.SignIn(ctx, name)
	if err != nil {
		return nil, err
	}
	a.user, a.token = user.ID, server.Token
	return a, nil
}

// NewMemberAuthor returns an author with an account.
func (s *Environment) NewMemberAuthor(name string, account *Account, useWebSocket bool, rooms ...string) *Author {
	return &Author{
		Environment: s, name: name, user: account.User, token: account.Token(), useWebSocket: useWebSocket, rooms: rooms, random: s.Random(name),
		own: make(map[string][]check.ID), deleted: make(map[check.ID]bool),
	}
}

// Run sends bursts until the faults are repaired.
func (a *Author) Run(ctx context.Context) {
	defer a.disconnect()
	for !a.isRepaired() && ctx.Err() == nil {
		a.sendBurst(ctx)
		pause(ctx, time.Duration(20+a.random.IntN(a.MaxPause))*time.Millisecond)
	}
}

// SendTo sends a burst to the room.
func (a *Author) SendTo(ctx context.Context, room string) {
	a.rooms = []string{room}
	a.sendBurst(ctx)
}

// sendBurst sends one or four entries, and retries until each is stored, refused or abandoned.
func (a *Author) sendBurst(ctx context.Context) {
	a.bursts++
	count, room := 1, a.rooms[a.random.IntN(len(a.rooms))]
	if a.useWebSocket && a.random.IntN(6) == 0 {
		count = 4
	}
	var open []*check.SentEntry
	for range count {
		open = append(open, a.compose(ctx, room))
	}
	abandons := a.random.IntN(30) == 0 && !a.Faithful
	for ctx.Err() == nil {
		if a.useWebSocket {
			a.send(ctx, open)
		} else {
			a.post(ctx, open[0])
		}
		left := open[:0]
		for _, s := range open {
			if s.Abandoned = s.Abandoned || len(s.Acks) == 0 && abandons; len(s.Acks) == 0 && !s.Abandoned && s.Refused == "" {
				left = append(left, s)
			}
		}
		if open = left; len(open) == 0 {
			return
		}
		pause(ctx, time.Duration(10+a.random.IntN(300))*time.Millisecond)
	}
}

// compose returns the next entry to send. Most are messages.
func (a *Author) compose(ctx context.Context, room string) *check.SentEntry {
	a.count++
	s := &check.SentEntry{Author: a.name, Room: room, Burst: a.bursts, First: time.Now(), Entry: check.Entry{
		Kind: "message", Key: client.NewKey(), User: a.user, Text: fmt.Sprintf("%s %d", a.name, a.count),
	}}
	if own := a.own[room]; a.useWebSocket && len(own) > 0 && a.random.IntN(10) == 0 && !a.MessagesOnly {
		i := a.random.IntN(len(own))
		s.Entry.Kind, s.Entry.Text, s.Entry.Target = "react", "👍", own[i]
		if a.random.IntN(3) == 0 {
			s.Entry.Kind, s.Entry.Text, a.deleted[own[i]] = "delete", "", true
			a.own[room] = append(own[:i:i], own[i+1:]...)
		}
	}
	if s.Entry.Kind == "message" && a.Upload != nil && a.random.IntN(5) == 0 {
		a.attach(ctx, s)
	}
	a.Record.AddSent(s)
	return s
}

// attach uploads one to three files for a message. A file whose upload fails is left out.
func (a *Author) attach(ctx context.Context, s *check.SentEntry) {
	for i := range 1 + a.random.IntN(3) {
		bounded, cancel := context.WithTimeout(ctx, 5*time.Second)
		id, err := a.Upload(bounded, a.user, s.Room)
		cancel()
		if err == nil {
			s.Entry.AddFile(id, fmt.Sprintf("file %d of %s", i, s.Entry.Text))
		}
	}
	if s.Entry.Files != "" && a.random.IntN(2) == 0 {
		s.Entry.Text = ""
	}
}

// newRequest returns the frame that sends the entry.
func newRequest(s *check.SentEntry) client.Append {
	e := &s.Entry
	switch e.Kind {
	case "react":
		return client.React{Room: s.Room, Key: e.Key, Target: e.Target.String(), Emoji: e.Text, On: true}
	case "delete":
		return client.Delete{Room: s.Room, Key: e.Key, Target: e.Target.String()}
	}
	return newMessage(s)
}

func newMessage(s *check.SentEntry) client.Message {
	return client.Message{Room: s.Room, Key: s.Entry.Key, Text: s.Entry.Text, Files: s.Entry.Attachments()}
}

// send sends the open entries over WebSocket and waits for the replies.
func (a *Author) send(ctx context.Context, open []*check.SentEntry) {
	if a.socket == nil || a.random.IntN(200) == 0 {
		a.disconnect()
		socket, err := a.anyServer(a.random, a.token).Dial(ctx)
		if err != nil {
			return
		}
		a.socket, socket.Timeout = socket, check.ReplyLimit+5*time.Second
	}
	defer context.AfterFunc(ctx, a.socket.Cut)()
	waiting := make(map[string]*check.SentEntry)
	for _, s := range open {
		s.Attempts = append(s.Attempts, check.Attempt{At: time.Now()})
		waiting[s.Entry.Key] = s
		if a.socket.Send(newRequest(s)) != nil {
			break
		}
	}
	for len(waiting) > 0 {
		frame, err := a.socket.Next()
		if err != nil {
			a.disconnect()
			return
		}
		key := ""
		switch f := frame.(type) {
		case *client.Stored:
			key = f.Key
		case *client.Error:
			key = f.Key
		default:
			continue
		}
		s := waiting[key]
		if s == nil {
			a.Record.AddFinding(check.WrongReply, "%s: got a reply to an unknown key: %+v", a.name, frame)
			continue
		}
		delete(waiting, key)
		a.settle(s, frame)
	}
}

func (a *Author) disconnect() {
	if a.socket != nil {
		a.socket.Cut()
		a.socket = nil
	}
}

// post sends a message over HTTP.
func (a *Author) post(ctx context.Context, s *check.SentEntry) {
	s.Attempts = append(s.Attempts, check.Attempt{At: time.Now()})
	stored, err := a.anyServer(a.random, a.token).Post(ctx, newMessage(s))
	refused, isRefusal := errors.AsType[*client.Error](err)
	switch {
	case isRefusal && refused.Code == "":
		a.Record.AddFinding(check.WrongReply, "%s: POST returned %v", a.name, refused)
	case isRefusal:
		a.settle(s, refused)
	case err != nil: // no response
	case stored.Key != s.Entry.Key:
		a.Record.AddFinding(check.WrongReply, "%s: POST with key %s returned %+v", a.name, s.Entry.Key, stored)
	default:
		a.settle(s, stored)
	}
}

// settle records the reply to a send. After some errors, the send stays open.
func (a *Author) settle(s *check.SentEntry, reply client.Frame) {
	last := &s.Attempts[len(s.Attempts)-1]
	last.Replied = time.Now()
	if refused, ok := reply.(*client.Error); ok {
		mayBeGone := a.deleted[s.Entry.Target] || a.MayRemoveEntries(s.Room) || a.MayLose(s.Entry.Target)
		switch {
		case refused.Code == "unavailable":
			last.Unknown = true
		case refused.Code == "full" || refused.Code == "rate_limited":
		case refused.Code == "not_found" && s.Entry.Kind != "message" && mayBeGone:
			s.Abandoned = true
		case refused.Code == "not_found" && refused.Field == "files" && s.IsUncertain() && a.MayRemoveEntries(s.Room):
			s.Abandoned = true // an earlier attempt was stored in a history that is gone
		default:
			s.Refused = refused.Code
		}
		return
	}
	stored, err := check.ParseID(reply.(*client.Stored).ID)
	if err != nil {
		a.Record.AddFinding(check.WrongReply, "%s: invalid ID in stored: %v", a.name, err)
		return
	}
	s.Acks, s.Acked = append(s.Acks, stored), time.Now()
	if s.Entry.Kind != "message" {
		return
	}
	a.own[s.Room] = append(a.own[s.Room], stored)
	if len(a.own[s.Room]) > 10 {
		a.own[s.Room] = a.own[s.Room][1:]
	}
	if a.random.IntN(10) == 0 {
		a.readBack(s.Room, stored)
	}
}

// readBack requests the room's newest page from any server. The page must show the message that was
// just acknowledged.
func (a *Author) readBack(room string, wanted check.ID) {
	p := &check.Page{Room: room, Wanted: wanted, At: time.Now()}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	shown, err := a.anyServer(a.random, a.token).History(ctx, room, url.Values{"limit": {"30"}})
	if err != nil {
		return
	}
	p.AsOf, _ = check.ParseCursor(shown.AsOf)
	p.Older = shown.Older != nil
	for _, entry := range shown.Entries {
		at, _ := check.ParseID(entry.ID)
		p.IDs = append(p.IDs, at)
	}
	a.Record.addPage(p)
}
