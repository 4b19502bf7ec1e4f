//go:build unix

package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"time"

	"burble/app/client"
)

// author sends one burst after the other to its rooms, and repeats what was not answered
// under the same key, at any server. Sometimes it stops retrying.
type author struct {
	*phase
	name, user, token string
	useWebSocket      bool // otherwise HTTP
	rooms             []string
	random            *rand.Rand
	socket            *client.Socket
	bursts, count     int
	own               map[string][]id // messages that it may react to or delete, by room
	deleted           map[id]bool
}

func (p *phase) newAuthor(ctx context.Context, name string, useWebSocket bool, rooms ...string) (*author, error) {
	a := &author{
		phase: p, name: name, useWebSocket: useWebSocket, rooms: rooms, random: p.newRandom(name),
		own: make(map[string][]id), deleted: make(map[id]bool),
	}
	server := p.anyServer(a.random, "")
	user, err := server.SignIn(ctx, name)
	if err != nil {
		return nil, err
	}
	a.user, a.token = user.ID, server.Token
	return a, nil
}

// run sends until the faults are repaired and everything is answered.
func (a *author) run(ctx context.Context) {
	defer a.disconnect()
	for !a.isRepaired() && ctx.Err() == nil {
		a.sendBurst(ctx)
		wait(ctx, time.Duration(20+a.random.IntN(a.options.pause))*time.Millisecond)
	}
}

// sendBurst sends one to four entries and waits until all are settled.
func (a *author) sendBurst(ctx context.Context) {
	a.bursts++
	count, room := 1, a.rooms[a.random.IntN(len(a.rooms))]
	if a.useWebSocket && a.random.IntN(6) == 0 {
		count = 4
	}
	var open []*sent
	for range count {
		open = append(open, a.compose(room))
	}
	abandons := a.random.IntN(30) == 0 && !a.options.faithful
	for ctx.Err() == nil {
		if a.useWebSocket {
			a.send(ctx, open)
		} else {
			a.post(ctx, open[0])
		}
		left := open[:0]
		for _, s := range open {
			if s.abandoned = s.abandoned || len(s.acks) == 0 && abandons; len(s.acks) == 0 && !s.abandoned && s.refused == "" {
				left = append(left, s)
			}
		}
		if open = left; len(open) == 0 {
			return
		}
		wait(ctx, time.Duration(10+a.random.IntN(300))*time.Millisecond)
	}
}

// compose returns the next entry to send: most are messages.
func (a *author) compose(room string) *sent {
	a.count++
	s := &sent{author: a.name, room: room, burst: a.bursts, first: time.Now(), entry: entry{
		kind: "message", key: client.NewKey(), user: a.user, text: fmt.Sprintf("%s %d", a.name, a.count),
	}}
	if own := a.own[room]; a.useWebSocket && len(own) > 0 && a.random.IntN(10) == 0 && !a.options.plain {
		i := a.random.IntN(len(own))
		s.entry.kind, s.entry.text, s.entry.of = "react", "👍", own[i]
		if a.random.IntN(3) == 0 {
			s.entry.kind, s.entry.text, a.deleted[own[i]] = "delete", "", true
			a.own[room] = append(own[:i:i], own[i+1:]...)
		}
	}
	a.record.addSent(s)
	return s
}

// request returns the frame that sends the entry.
func (s *sent) request() client.Append {
	e := &s.entry
	switch e.kind {
	case "react":
		return client.React{Room: s.room, Key: e.key, Of: e.of.String(), Emoji: e.text, On: true}
	case "delete":
		return client.Delete{Room: s.room, Key: e.key, Of: e.of.String()}
	}
	return client.Message{Room: s.room, Key: e.key, Text: e.text}
}

// send sends what is open in one go over WebSocket, and waits for the answers.
func (a *author) send(ctx context.Context, open []*sent) {
	if a.socket == nil || a.random.IntN(200) == 0 {
		a.disconnect()
		socket, err := a.anyServer(a.random, a.token).Dial(ctx)
		if err != nil {
			return
		}
		a.socket, socket.Silence = socket, answerLimit+5*time.Second
	}
	defer context.AfterFunc(ctx, a.socket.Cut)()
	waiting := make(map[string]*sent)
	for _, s := range open {
		s.attempts = append(s.attempts, attempt{at: time.Now()})
		waiting[s.entry.key] = s
		if a.socket.Send(s.request()) != nil {
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
			a.record.find(wrongReply, "%s: an answer to nothing that was sent: %+v", a.name, frame)
			continue
		}
		delete(waiting, key)
		a.settle(s, frame)
	}
}

func (a *author) disconnect() {
	if a.socket != nil {
		a.socket.Cut()
		a.socket = nil
	}
}

// post sends a message over HTTP.
func (a *author) post(ctx context.Context, s *sent) {
	s.attempts = append(s.attempts, attempt{at: time.Now()})
	stored, err := a.anyServer(a.random, a.token).Post(ctx, client.Message{Room: s.room, Key: s.entry.key, Text: s.entry.text})
	refused, isRefusal := errors.AsType[*client.Error](err)
	switch {
	case isRefusal && refused.Code == "":
		a.record.find(wrongReply, "%s: POST was answered %v", a.name, refused)
	case isRefusal:
		a.settle(s, refused)
	case err != nil: // no response
	case stored.Key != s.entry.key:
		a.record.find(wrongReply, "%s: POST under %s was answered %+v", a.name, s.entry.key, stored)
	default:
		a.settle(s, stored)
	}
}

// settle records the answer to a send: its outcome, or that it is still open.
func (a *author) settle(s *sent, answer client.Frame) {
	last := &s.attempts[len(s.attempts)-1]
	last.answered = time.Now()
	if refused, ok := answer.(*client.Error); ok {
		mayBeGone := a.deleted[s.entry.of] || a.destroys(s.room) || a.mayLose(s.entry.of)
		switch {
		case refused.Code == "unavailable":
			last.unknown = true
		case refused.Code == "full" || refused.Code == "rate_limited":
		case refused.Code == "not_found" && s.entry.kind != "message" && mayBeGone:
			s.abandoned = true
		default:
			s.refused = refused.Code
		}
		return
	}
	stored, err := parseID(answer.(*client.Stored).ID)
	if err != nil {
		a.record.find(wrongReply, "%s: stored as %v", a.name, err)
		return
	}
	s.acks, s.acked = append(s.acks, stored), time.Now()
	if s.entry.kind != "message" {
		return
	}
	a.own[s.room] = append(a.own[s.room], stored)
	if len(a.own[s.room]) > 10 {
		a.own[s.room] = a.own[s.room][1:]
	}
	if a.random.IntN(10) == 0 {
		a.readBack(s.room, stored)
	}
}

// readBack reads the room's newest page at any server, which must show a message that was
// just acknowledged.
func (a *author) readBack(room string, wanted id) {
	p := &page{room: room, wanted: wanted, at: time.Now()}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	shown, err := a.anyServer(a.random, a.token).History(ctx, room, url.Values{"limit": {"30"}})
	if err != nil {
		return
	}
	p.asOf, _ = parseCursor(shown.AsOf)
	p.older = shown.Older != nil
	for _, one := range shown.Entries {
		at, _ := parseID(one.ID)
		p.ids = append(p.ids, at)
	}
	a.record.addPage(p)
}
