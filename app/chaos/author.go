//go:build unix

package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// author sends to rooms, one burst after the other, and repeats what was not
// answered under the same key, at any server. Sometimes it gives up.
type author struct {
	*world
	name, user, token string
	onSocket          bool
	rooms             []string
	random            *rand.Rand
	socket            *socket
	bursts, count     int
	own               map[string][]id // messages it may react to or delete, by room
	deleted           map[id]bool
}

func (w *world) newAuthor(ctx context.Context, name string, onSocket bool, rooms ...string) (*author, error) {
	a := &author{world: w, name: name, onSocket: onSocket, rooms: rooms, random: w.stream(name), own: make(map[string][]id), deleted: make(map[id]bool)}
	var session struct {
		Token string
		User  struct{ ID string }
	}
	status, text := request(ctx, http.MethodPost, "http://"+w.edge(a.random)+"/session", "", fmt.Sprintf(`{"name":%q}`, name), "Content-Type", "application/json")
	if err := json.Unmarshal(text, &session); err != nil || status != http.StatusOK {
		return nil, fmt.Errorf("POST /session: %d %s", status, text)
	}
	a.user, a.token = session.User.ID, session.Token
	return a, nil
}

// run sends until the world is calm, then sees to what is not answered yet.
func (a *author) run(ctx context.Context) {
	defer a.hangUp()
	for !a.isCalm() && ctx.Err() == nil {
		a.burst(ctx)
		a.wait(ctx, time.Duration(20+a.random.IntN(a.options.pause))*time.Millisecond)
	}
}

// burst sends one to four things and waits until all are settled.
func (a *author) burst(ctx context.Context) {
	a.bursts++
	count, room := 1, a.rooms[a.random.IntN(len(a.rooms))]
	if a.onSocket && a.random.IntN(6) == 0 {
		count = 4
	}
	var open []*sent
	for range count {
		open = append(open, a.compose(room))
	}
	givesUp := a.random.IntN(30) == 0 && !a.options.faithful
	for ctx.Err() == nil {
		if a.onSocket {
			a.say(ctx, open)
		} else {
			a.post(ctx, open[0])
		}
		left := open[:0]
		for _, s := range open {
			if s.gaveUp = s.gaveUp || len(s.acks) == 0 && givesUp; len(s.acks) == 0 && !s.gaveUp && s.refused == "" {
				left = append(left, s)
			}
		}
		if open = left; len(open) == 0 {
			return
		}
		a.wait(ctx, time.Duration(10+a.random.IntN(300))*time.Millisecond)
	}
}

// compose makes the next thing to send: mostly a message.
func (a *author) compose(room string) *sent {
	a.count++
	s := &sent{author: a.name, room: room, burst: a.bursts, first: time.Now(), entry: entry{
		kind: "message", key: uuid.NewString(), user: a.user, text: fmt.Sprintf("%s %d", a.name, a.count),
	}}
	if own := a.own[room]; a.onSocket && len(own) > 0 && a.random.IntN(10) == 0 && !a.options.plain {
		i := a.random.IntN(len(own))
		s.entry.kind, s.entry.text, s.entry.of = "react", "👍", own[i]
		if a.random.IntN(3) == 0 {
			s.entry.kind, s.entry.text, a.deleted[own[i]] = "delete", "", true
			a.own[room] = append(own[:i:i], own[i+1:]...)
		}
	}
	a.record.send(s)
	return s
}

// say sends what is open in one go and waits for the answers.
func (a *author) say(ctx context.Context, open []*sent) {
	if a.socket == nil || a.random.IntN(200) == 0 {
		a.hangUp()
		var err error
		if a.socket, err = dialSocket(ctx, a.edge(a.random), a.token); err != nil {
			return
		}
	}
	defer context.AfterFunc(ctx, a.socket.cut)()
	waiting := make(map[string]*sent)
	for _, s := range open {
		s.attempts = append(s.attempts, attempt{at: time.Now()})
		waiting[s.entry.key] = s
		if a.socket.say(s.frame()) != nil {
			break
		}
	}
	for len(waiting) > 0 {
		f, err := a.socket.hear(answerLimit + 5*time.Second)
		if err != nil {
			a.hangUp()
			return
		}
		if f.Type != "stored" && f.Type != "error" {
			continue
		}
		s := waiting[f.Key]
		if s == nil {
			a.record.odd(wrongReply, "%s: an answer to nothing: %+v", a.name, f)
			continue
		}
		delete(waiting, f.Key)
		a.answered(s, f)
	}
}

func (s *sent) frame() map[string]any {
	f := map[string]any{"type": s.entry.kind, "room": s.room, "key": s.entry.key, "of": s.entry.of.String()}
	switch s.entry.kind {
	case "message":
		f["type"], f["text"] = "send", s.entry.text
		delete(f, "of")
	case "react":
		f["emoji"], f["on"] = s.entry.text, true
	}
	return f
}

func (a *author) hangUp() {
	if a.socket != nil {
		a.socket.cut()
		a.socket = nil
	}
}

// post sends a message over HTTP.
func (a *author) post(ctx context.Context, s *sent) {
	s.attempts = append(s.attempts, attempt{at: time.Now()})
	body, _ := json.Marshal(map[string]string{"text": s.entry.text})
	status, text := request(ctx, http.MethodPost, fmt.Sprintf("http://%s/r/%s/messages", a.edge(a.random), s.room), a.token, string(body),
		"Content-Type", "application/json", "Idempotency-Key", s.entry.key)
	var answer struct {
		ID, Key string
		Error   struct{ Code string }
	}
	switch err := json.Unmarshal(text, &answer); {
	case status == 0:
	case err != nil || status < 300 && answer.Key != s.entry.key:
		a.record.odd(wrongReply, "%s: POST was answered %d %s", a.name, status, text)
	default:
		a.answered(s, frame{Type: "stored", ID: answer.ID, Code: answer.Error.Code})
	}
}

// answered notes an answer: the outcome, or that it is still open.
func (a *author) answered(s *sent, f frame) {
	s.attempts[len(s.attempts)-1].answered = time.Now()
	switch stored, err := parseID(f.ID); {
	case f.Code == "unavailable" || f.Code == "full" || f.Code == "rate_limited":
		s.attempts[len(s.attempts)-1].unsure = f.Code == "unavailable"
	case f.Code == "not_found" && s.entry.kind != "message" && (a.deleted[s.entry.of] || a.destroys(s.room) || a.mayLose(s.entry.of)):
		s.gaveUp = true
	case f.Code != "":
		s.refused = f.Code
	case err != nil:
		a.record.odd(wrongReply, "%s: stored as %q", a.name, f.ID)
	default:
		s.acks, s.acked = append(s.acks, stored), time.Now()
		if s.entry.kind == "message" {
			a.own[s.room] = append(a.own[s.room], stored)
			if len(a.own[s.room]) > 10 {
				a.own[s.room] = a.own[s.room][1:]
			}
			if a.random.IntN(10) == 0 {
				a.lookUp(s.room, stored)
			}
		}
	}
}

// lookUp reads the room anew, at any server, to see what was just acknowledged.
func (a *author) lookUp(room string, wanted id) {
	p := &page{room: room, wanted: wanted, at: time.Now()}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	status, text := request(ctx, http.MethodGet, fmt.Sprintf("http://%s/r/%s/messages?limit=30", a.edge(a.random), room), a.token, "")
	var shown struct {
		AsOf    string `json:"as_of"`
		Entries []said
		Older   *string
	}
	if status != http.StatusOK || json.Unmarshal(text, &shown) != nil {
		return
	}
	p.asOf, _ = parseCursor(shown.AsOf)
	p.older = shown.Older != nil
	for _, one := range shown.Entries {
		at, _ := parseID(one.ID)
		p.ids = append(p.ids, at)
	}
	a.record.page(p)
}
