package web

import (
	"crypto/rand"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"burble/app/client"
	"burble/streams"
)

// recordUpload stores the record of a picture that the user has uploaded to the room, but not the picture. It returns
// the file's ID.
func (s *testServer) recordUpload(user testUser, room string) string {
	s.t.Helper()
	file := streams.File{ID: rand.Text(), Name: "cat.png", Type: "image/png", Size: 48213, Width: 4, Height: 3, Color: "#8a6f4d", Hash: "an object", Thumbnail: "another"}
	if err := s.store.As(streams.User{ID: user.ID, Name: "Ada"}).AddFile(s.t.Context(), room, file); err != nil {
		s.t.Fatal(err)
	}
	return file.ID
}

// Every way to send a message must accept files, and every way to read it must return them.
func TestFilesOnEverySurface(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	ada := here.signIn("Ada")
	socket := here.connect(ada)
	files := func(room string) string {
		return fmt.Sprintf(`[{"id":%q,"alt":"a cat"},{"id":%q}]`, here.recordUpload(ada, room), here.recordUpload(ada, room))
	}
	const key = "9b2f6c1e-3d4a-4f6b-8a7e-1c2d3e4f5a6b"
	sends := map[string]func(room, list string){
		"socket": func(room, list string) {
			socket.sendf(`{"type":"send","room":%q,"key":%q,"files":%s}`, room, key, list)
			await[*client.Stored](socket)
		},
		"frames": func(room, list string) {
			frame := fmt.Sprintf(`{"type":"send","room":%q,"key":%q,"text":"","files":%s}`, room, key, list)
			if got := here.postJSON("/r/"+room+"/frames", frame, ada.bearer()); got.status != 200 {
				t.Errorf("frames: got status %d, %s, want 200", got.status, got.body)
			}
		},
		"json": func(room, list string) {
			for _, status := range []int{201, 200} { // a retry does not use the files again
				got := here.postJSON("/r/"+room+"/messages", `{"files":`+list+`}`, ada.bearer(), "Idempotency-Key: "+key)
				if got.status != status {
					t.Errorf("messages: got status %d, %s, want %d", got.status, got.body, status)
				}
			}
		},
	}
	for room, send := range sends {
		send(room, files(room))
		page := there.history(room, "?html=true")
		if len(page.Entries) != 1 || page.Entries[0].Text != "" || page.Entries[0].HTML != "" || len(page.Entries[0].Files) != 2 {
			t.Fatalf("%s: got %+v, want one message with two files and no text", room, page.Entries)
		}
		entry := page.Entries[0]
		url := "/f/" + room + "/" + entry.ID + "/"
		want := client.File{ID: entry.Files[0].ID, Name: "cat.png", Type: "image/png", Size: 48213, Width: 4, Height: 3, Color: "#8a6f4d", Alt: "a cat", URL: url + "0", Thumbnail: url + "0/thumbnail"}
		if entry.Files[0] != want || entry.Files[1].URL != url+"1" || entry.Files[1].Alt != "" {
			t.Errorf("%s: got files %+v, want %+v first", room, entry.Files, want)
		}
		expect := func(what string, got []client.File) {
			t.Helper()
			if !reflect.DeepEqual(got, entry.Files) {
				t.Errorf("%s: %s has the files %+v, want %+v", room, what, got, entry.Files)
			}
		}
		events := there.openStream("/r/" + room + "/events")
		events.event()
		expect("an event", events.entry().Files)
		lines := there.openStream("/r/"+room+"/events", "Accept: application/x-ndjson")
		lines.line()
		expect("a line", lines.jsonLine().Files)
		plain := there.openStream("/r/"+room+"/events", "Accept: text/plain")
		if line, want := plain.line(), " Ada: cat.png (image/png, 47 KB) "+url+"0"; !strings.HasSuffix(line, want) {
			t.Errorf("%s: got the line %q, want a suffix %q", room, line, want)
		}
		plain.expectLines("      cat.png (image/png, 47 KB) " + url + "1")
		reader := there.open()
		reader.sendf(`{"type":"follow","room":%q}`, room)
		expect("a socket", await[*client.Entries](reader).Entries[0].Files)
		if found := there.get("/r/" + room + "/search?q=cat.png"); !strings.Contains(found.body, `"url":"`+url+`1"`) || strings.Contains(found.body, "object") {
			t.Errorf("%s: a search found %s, want the message", room, found.body)
		}
	}
}

func TestMessagesWithBadFiles(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada, bob := s.signIn("Ada"), s.signIn("Bob")
	mine, theirs := s.recordUpload(ada, "lobby"), s.recordUpload(bob, "lobby")
	list := func(id string) string { return fmt.Sprintf(`{"files":[{"id":%q}]}`, id) }
	for _, test := range []struct {
		body   string
		status int
		code   string
		field  string
	}{
		{list(theirs), 404, "not_found", "files"},
		{list(rand.Text()), 404, "not_found", "files"},
		{list("x"), 400, "bad_field", "files"},
		{`{"files":"x"}`, 400, "bad_field", "files"},
		{`{"files":[]}`, 400, "bad_field", "text"},
		{`{"files":[],"text":" "}`, 400, "bad_field", "text"},
		{list(mine), 201, "", ""},
		{`{"text":"again",` + list(mine)[1:], 404, "not_found", "files"},
	} {
		got := s.postJSON("/r/lobby/messages", test.body, ada.bearer())
		var refused errorBody
		got.decode(t, &refused)
		if got.status != test.status || refused.Error.Code != test.code || refused.Error.Field != test.field {
			t.Errorf("%s: got status %d, %s; want %d, %s in the field %q", test.body, got.status, got.body, test.status, test.code, test.field)
		}
	}
	if entries := s.history("lobby", "").Entries; len(entries) != 1 {
		t.Errorf("got %d messages, want 1", len(entries))
	}
}

// The Go client uploads a file and sends it.
func TestClientUploadsAndSends(t *testing.T) {
	t.Parallel()
	s := startOne(t, withFiles(t))
	ada := s.signIn("Ada")
	as := &client.Server{URL: s.client.URL, Token: ada.Token, Transport: s.client.Transport}
	const text = "notes, and more notes\n"
	file, err := as.Upload(t.Context(), "lobby", "notes & more.txt", strings.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	message := client.Message{Room: "lobby", Key: client.NewKey(), Files: []client.Attachment{{ID: file.ID, Alt: "notes"}}}
	if _, err := as.Post(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	sent := s.history("lobby", "").Entries[0].Files[0]
	if sent.Name != "notes & more.txt" || sent.Alt != "notes" || sent.Size != int64(len(text)) {
		t.Errorf("got %+v, want the uploaded file", sent)
	}
	if got := s.get(sent.URL); got.status != 200 || got.body != text {
		t.Errorf("%s: got status %d, %q, want the text", sent.URL, got.status, got.body)
	}
}
