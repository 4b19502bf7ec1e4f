package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"burble/app/accounts"
	"burble/app/apptest"
	"burble/app/fetch/fetchtest"
)

// TestProtocolBodies checks that each example of a request or response body in PROTOCOL.md has the
// same fields as a real one. Package protocol checks the examples of frames and entries.
func TestProtocolBodies(t *testing.T) {
	t.Parallel()
	known := bodyFields(t)
	for _, example := range apptest.CodeBlocks(t, "PROTOCOL.md", "json") {
		var object map[string]any
		text := strings.TrimSuffix(strings.TrimPrefix(example, "["), "]") // each example of a list has one element
		if err := json.Unmarshal([]byte(text), &object); err != nil {
			t.Fatalf("decode %s: %v", example, err)
		}
		if mediaType, _ := object["type"].(string); object["kind"] != nil || mediaType != "" && !strings.Contains(mediaType, "/") {
			continue // a frame or an entry
		}
		if fields := fieldNames(object); !slices.Contains(known, fields) {
			t.Errorf("no request or response has the fields %s: %s", fields, example)
		}
	}
}

// bodyFields returns the field names of each body that the server accepts or sends.
func bodyFields(t *testing.T) (fields []string) {
	t.Helper()
	site := fetchtest.Start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/picture.png" {
			writePNG(w, 64, 36)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<title>Launch day</title><meta property="og:description" content="All about it">
			<meta property="og:site_name" content="Example"><meta property="og:image" content="/picture.png">`)
	})
	site.ResolveTo("site.test", "127.0.0.1")
	s := startOne(t, withFiles(t), withPreviews(site, new(pictureCounter)))
	session := s.postJSON("/session", `{"name":"Ada"}`)
	var ada testUser
	session.decode(t, &ada)
	message := s.postJSON("/r/lobby/messages", `{"text":"hi!"}`, ada.bearer())
	reply := `{"text":"hi!","reply_to":"` + s.post(ada, "lobby", "hi!").ID + `"}`
	if got := s.postJSON("/r/lobby/messages", reply, ada.bearer()); got.status != 201 {
		t.Errorf("%s: status %d, want 201: %s", reply, got.status, got.body)
	}
	uploaded := s.request("POST", "/r/lobby/files?name=cat.png", newPicture(t), ada.bearer())
	var file struct{ ID string }
	uploaded.decode(t, &file)
	withFile := `{"text":"Look","files":[{"id":"` + file.ID + `","alt":"A cat"}]}`
	if got := s.postJSON("/r/lobby/messages", withFile, ada.bearer()); got.status != 201 {
		t.Errorf("%s: status %d, want 201: %s", withFile, got.status, got.body)
	}
	link := `{"url":"http://site.test:` + site.Port + `/"}`
	card := s.postJSON("/r/lobby/previews", link, ada.bearer())
	none := s.postJSON("/r/lobby/previews", `{"url":"http://no.test/"}`, ada.bearer())
	found := strings.Split(strings.TrimSpace(s.get("/r/lobby/search?q=nothing-of-this").body), "\n")
	cleo := s.newAccount("Cleo", accounts.Member)
	room := "/r/" + s.newPrivateRoom(cleo)
	var invite struct{ URL string }
	s.manage(cleo, "POST", "/invites", `{"room":"`+s.newPrivateRoom(cleo)+`"}`, 201).decode(t, &invite)
	_, code, _ := strings.Cut(invite.URL, "/i/")
	joined := s.postJSON("/i/"+code, `{"name":"Bob"}`)
	change := `{"role":"moderator","muted_until":"2099-12-01T09:00:00Z","reason":"spam"}`
	s.manage(cleo, "PUT", room+"/members/"+cleo.ID, change, 200)
	const settings = `{"title":"Launch","locked":true}`
	for _, body := range []string{
		settings, s.manage(cleo, "PATCH", room, settings, 200).body, change, strings.Trim(s.manage(cleo, "GET", room+"/members", "", 200).body, "[]"),
		`{"name":"Ada"}`, reply, withFile, uploaded.body, link, card.body, none.body, session.body, joined.body, message.body, s.get("/r/lobby/messages").body,
		s.get("/r/lobby/messages?limit=x").body, found[len(found)-1], strings.Trim(s.get("/rooms", ada.bearer()).body, "[]"),
	} {
		var object map[string]any
		if err := json.Unmarshal([]byte(body), &object); err != nil {
			t.Fatalf("decode %s: %v", body, err)
		}
		fields = append(fields, fieldNames(object))
	}
	return fields
}

// fieldNames returns the sorted names of an object's fields, including those of nested objects.
func fieldNames(object map[string]any) string {
	var names []string
	for name, value := range object {
		if inner, ok := value.(map[string]any); ok {
			name += "{" + fieldNames(inner) + "}"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ",")
}
