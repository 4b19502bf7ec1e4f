package web

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"burble/app/apptest"
	"burble/app/ws"
)

func TestProtocolBodies(t *testing.T) {
	for _, example := range apptest.CodeBlocks(t, "PROTOCOL.md", "json") {
		var object struct{ Type, Kind string }
		json.Unmarshal([]byte(example), &object) // fails for a list, which has neither
		if object.Type == "" && object.Kind == "" {
			checkBody(t, example)
		}
	}
}

// checkBody checks an example of the body of a request or response. Package protocol checks
// the frames and the entries.
func checkBody(t *testing.T, example string) {
	t.Helper()
	var object map[string]any
	if strings.HasPrefix(example, "[") {
		var list []map[string]any
		if err := json.Unmarshal([]byte(example), &list); err != nil || len(list) != 1 {
			t.Fatalf("%v in %s", err, example)
		}
		object = list[0]
	} else if err := json.Unmarshal([]byte(example), &object); err != nil {
		t.Fatalf("%v in %s", err, example)
	}
	if fields := fieldNames(object); !slices.Contains(bodyFields(t), fields) {
		t.Errorf("no request or response has the fields %s: %s", fields, example)
	}
}

var bodyFieldsOnce []string

// bodyFields returns the field names of each body that the server accepts or sends.
func bodyFields(t *testing.T) []string {
	t.Helper()
	if bodyFieldsOnce != nil {
		return bodyFieldsOnce
	}
	s := startOne(t)
	session := s.postJSON("/session", `{"name":"Ada"}`)
	var ada testUser
	session.decode(t, &ada)
	message := s.postJSON("/r/lobby/messages", `{"text":"hi!"}`, ada.bearer())
	reply := `{"text":"hi!","reply_to":"` + s.post(ada, "lobby", "hi!").ID + `"}`
	if got := s.postJSON("/r/lobby/messages", reply, ada.bearer()); got.status != 201 {
		t.Errorf("%s: %d %s", reply, got.status, got.body)
	}
	found := strings.Split(strings.TrimSpace(s.get("/r/lobby/search?q=nothing-of-this").body), "\n")
	bodies := []string{
		`{"name":"Ada"}`, reply, session.body, message.body, s.get("/r/lobby/messages").body,
		s.get("/r/lobby/messages?limit=x").body, found[len(found)-1], strings.Trim(s.get("/rooms", ada.bearer()).body, "[]"),
	}
	for _, body := range bodies {
		var object map[string]any
		if err := json.Unmarshal([]byte(body), &object); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		bodyFieldsOnce = append(bodyFieldsOnce, fieldNames(object))
	}
	return bodyFieldsOnce
}

// fieldNames returns the sorted names of an object's fields, including those of objects in it.
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

func TestProtocolListsEveryCloseCode(t *testing.T) {
	text := apptest.ReadDoc(t, "PROTOCOL.md")
	for _, code := range []int{
		ws.CloseProtocol, ws.CloseNotText, ws.CloseNotUTF8, ws.CloseNotAllowed, ws.CloseTooBig, ws.CloseInternal, ws.CloseRestart, ws.CloseTooSlow,
	} {
		if !strings.Contains(text, "\n| "+strconv.Itoa(code)+" |") {
			t.Errorf("no row for the close code %d", code)
		}
	}
}
