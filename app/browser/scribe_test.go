//go:build unix

package browser

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"burble/app/apptest"

	"github.com/google/uuid"
)

// scribe is somebody who writes with a program.
type scribe struct {
	*socket
	t       *testing.T
	answers chan wireFrame
}

// newScribe opens a socket that hears, and so stays open, until the test ends.
func newScribe(t *testing.T, server *apptest.Server, token string) *scribe {
	t.Helper()
	opened, err := dial(server.URL(), token)
	if err != nil {
		t.Fatal(err)
	}
	s := &scribe{socket: opened, t: t, answers: make(chan wireFrame, 1)}
	go s.listen()
	t.Cleanup(func() {
		s.cut()
		for range s.answers { // until listen has returned
		}
	})
	return s
}

func (s *scribe) listen() {
	defer close(s.answers)
	for {
		frame, err := s.hear()
		if err != nil {
			return
		}
		if frame.Type == "stored" || frame.Type == "error" {
			s.answers <- frame
		}
	}
}

// store has a frame stored in a room, and returns its entry ID. of is the message that
// it answers, amends or reacts to; "" for none.
func (s *scribe) store(room, kind, text, of string) string {
	s.t.Helper()
	frame := map[string]any{"type": kind, "room": room, "key": uuid.NewString(), "text": text}
	switch {
	case kind == "send" && of != "":
		frame["reply_to"] = of
	case kind == "react":
		frame["of"], frame["emoji"], frame["on"] = of, text, true
		delete(frame, "text")
	case of != "":
		frame["of"] = of
	}
	if err := s.say(frame); err != nil {
		s.t.Fatal(err)
	}
	select {
	case answer := <-s.answers:
		if answer.Type != "stored" || answer.Key != frame["key"] {
			s.t.Fatalf("%s %q: %+v", kind, text, answer)
		}
		return answer.ID
	case <-time.After(browserPatience):
		s.t.Fatalf("%s %q: no answer", kind, text)
		return ""
	}
}

// guestCalled is a guest of that name; nil when the name is refused.
func guestCalled(t *testing.T, server *apptest.Server, name string) *scribe {
	t.Helper()
	body, err := json.Marshal(map[string]string{"name": name})
	if err != nil {
		t.Fatal(err)
	}
	status, answer := server.Do(http.MethodPost, "/session", string(body), "Content-Type", "application/json")
	if status == http.StatusBadRequest && strings.Contains(answer, `"field":"name"`) {
		return nil
	}
	var session struct{ Token string }
	if err := json.Unmarshal([]byte(answer), &session); err != nil || status != http.StatusOK {
		t.Fatalf("%q: %d %s", name, status, answer)
	}
	return newScribe(t, server, session.Token)
}
