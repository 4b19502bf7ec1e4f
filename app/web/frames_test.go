package web

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"burble/app/client"
	"burble/app/protocol"
)

func TestFramesOverHTTP(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada, bob := s.signIn("Ada"), s.signIn("Bob")
	lines := s.openStream("/r/lobby/frames?last=0&html=true", ada.bearer())
	next := func() (line string) {
		for line == "" {
			line = lines.line()
		}
		return line
	}
	if hello := next(); !strings.HasPrefix(hello, `{"type":"hello",`) || !strings.Contains(hello, ada.ID) {
		t.Errorf("the first frame is %s, want hello with the user's ID", hello)
	}
	var followed client.Followed
	if err := json.Unmarshal([]byte(next()), &followed); err != nil || followed.State != client.Fresh {
		t.Errorf("followed: %+v, %v; want state fresh", followed, err)
	}
	post := func(user testUser, format string, args ...any) response {
		t.Helper()
		return s.postJSON("/r/lobby/frames", fmt.Sprintf(format, args...), user.bearer())
	}
	stored := func(got response) (id string) {
		t.Helper()
		var frame client.Stored
		if got.decode(t, &frame); got.status != 200 || frame.ID == "" {
			t.Errorf("status %d, body %s; want 200 and an entry ID", got.status, got.body)
		}
		return frame.ID
	}
	key := client.NewKey()
	id := stored(post(ada, `{"type":"send","room":"lobby","key":%q,"text":"*hi*"}`, key))
	if again := stored(post(ada, `{"type":"send","room":"lobby","key":%q,"text":"*hi*"}`, key)); again != id {
		t.Errorf("the retry is stored as %s, want %s", again, id)
	}
	var batch client.Entries
	if err := json.Unmarshal([]byte(next()), &batch); err != nil || batch.After != followed.At || len(batch.Entries) != 1 ||
		batch.Entries[0].ID != id || batch.Entries[0].HTML != "<p><em>hi</em></p>" {
		t.Errorf("entries: %+v, %v; want the message with its HTML", batch, err)
	}
	stored(post(bob, `{"type":"react","room":"lobby","key":%q,"of":%q,"emoji":"👍","on":true}`, client.NewKey(), id))
	stored(post(ada, `{"type":"edit","room":"lobby","key":%q,"of":%q,"text":"hello"}`, client.NewKey(), id))
	post(bob, `{"type":"delete","room":"lobby","key":%q,"of":%q}`, client.NewKey(), id).expectRefusal(t, 403, protocol.NotYours, "of")
	stored(post(ada, `{"type":"topic","room":"lobby","key":%q,"text":"Tea"}`, client.NewKey()))
	if got := post(ada, `{"type":"read","room":"lobby","id":%q}`, id); got.status != 204 {
		t.Errorf("read: status %d, want 204: %s", got.status, got.body)
	}
	var rooms []struct{ Title, Read string }
	if err := json.Unmarshal([]byte(s.get("/rooms", ada.bearer()).body), &rooms); err != nil || len(rooms) != 1 || rooms[0].Title != "Tea" || rooms[0].Read != id {
		t.Errorf("rooms: %+v, %v; want the lobby with its topic and the read marker", rooms, err)
	}
}

func TestInvalidFramesOverHTTP(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada := s.signIn("Ada")
	key := client.NewKey()
	for body, want := range map[string]struct {
		status int
		code   protocol.Code
		field  string
	}{
		`{"type":"follow","room":"lobby"}`:                             {400, protocol.BadFrame, "type"},
		`{"type":"typing","room":"lobby"}`:                             {400, protocol.BadFrame, "type"},
		`{"type":"ping"}`:                                              {400, protocol.BadFrame, "type"},
		`{"type":"send","room":"tea","key":"` + key + `","text":"hi"}`: {400, protocol.BadField, "room"},
		`{"type":"send","room":"lobby","text":"hi"}`:                   {400, protocol.BadField, "key"},
		`[]`:       {400, protocol.BadFrame, ""},
		`{`:        {400, protocol.BadFrame, ""},
		"\"\xff\"": {400, protocol.BadFrame, ""},
	} {
		s.postJSON("/r/lobby/frames", body, ada.bearer()).expectRefusal(t, want.status, want.code, want.field)
	}
	frame := `{"type":"send","room":"lobby","key":"` + key + `","text":"hi"}`
	s.request("POST", "/r/lobby/frames", frame, ada.bearer(), "Content-Type: text/plain").expectRefusal(t, 415, protocol.BadField, "Content-Type")
	s.postJSON("/r/lobby/frames", frame, ada.bearer(), "Content-Encoding: gzip").expectRefusal(t, 415, protocol.BadField, "Content-Encoding")
	s.postJSON("/r/lobby/frames?x=1", frame, ada.bearer()).expectRefusal(t, 400, protocol.BadField, "x")
	s.postJSON("/r/lobby/frames", frame).expectRefusal(t, 403, protocol.NotAllowed, "")
	s.postJSON("/r/lobby/frames", frame, ada.bearer(), "Origin: https://evil.example").expectRefusal(t, 403, protocol.NotAllowed, "origin")
}
