//go:build unix

package browser

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

// stored are a room's messages as a server tells them, "ID text" each.
func stored(t *testing.T, server *apptest.Server, room string) (messages []string) {
	t.Helper()
	_, body := server.Get("/r/" + room + "/messages?limit=500")
	var page struct {
		Entries []struct {
			ID, Text string
			Deleted  bool
		}
	}
	if err := json.Unmarshal([]byte(body), &page); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	for _, entry := range page.Entries {
		if entry.Deleted {
			entry.Text = "This message was deleted."
		}
		messages = append(messages, entry.ID+" "+entry.Text)
	}
	return messages
}

// expectStream compares what pages show with the stream, of which server tells: the
// same messages, in the same order, none twice. A page may be on its way there.
func expectStream(t *testing.T, server *apptest.Server, room string, people ...*browserPerson) {
	t.Helper()
	deadline := time.Now().Add(browserPatience)
	for _, p := range people {
		got, want := p.shown(), stored(t, server, room)
		for ; !slices.Equal(got, want) && time.Now().Before(deadline); got, want = p.shown(), stored(t, server, room) {
			time.Sleep(50 * time.Millisecond)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s sees\n%q, and stored is\n%q", p.name, got, want)
		}
	}
}

func TestTwoBrowsersTalkThroughAnAbsence(t *testing.T) {
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	ada, bob := newBrowserPerson(t, "Ada"), newBrowserPerson(t, "Bob")
	ada.join(here, "lobby")
	bob.join(there, "lobby")

	ada.write("hello Bob")
	ada.shows("hello Bob")
	bob.shows("hello Bob")
	bob.write("hello Ada")
	ada.shows("hello Ada")

	ada.open(here, "/r/lobby")
	ada.upToDate()
	ada.shows("hello Bob", "hello Ada")

	ada.forgive("ERR_INTERNET_DISCONNECTED")
	ada.offline(true)
	ada.waitTruth("offline", "Offline")
	ada.write("one from the tunnel")
	ada.write("two from the tunnel")
	ada.wait("two messages to wait", `document.querySelectorAll("#messages .message:not([id])").length === 2`)
	bob.write("are you there?")
	bob.shows("are you there?")
	ada.offline(false)
	ada.shows("are you there?", "one from the tunnel", "two from the tunnel")
	bob.shows("one from the tunnel", "two from the tunnel")
	ada.upToDate()

	expectStream(t, here, "lobby", ada, bob)
	var texts []any
	for _, entry := range apptest.Entries(t, redis, "lobby") {
		texts = append(texts, entry.Values["text"])
	}
	if want := []any{"hello Bob", "hello Ada", "are you there?", "one from the tunnel", "two from the tunnel"}; !slices.Equal(texts, want) {
		t.Errorf("stored: %q", texts)
	}
}

func TestPageShowsWhatBecomesOfAMessage(t *testing.T) {
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	ada := newBrowserPerson(t, "Ada")
	ada.join(here, "lobby")
	bob, err := dial(there.URL(), there.SignIn("Bob"))
	if err != nil {
		t.Fatal(err)
	}
	defer bob.cut()
	do := func(kind string, fields map[string]any) (id string) {
		t.Helper()
		key := uuid.NewString()
		fields["type"], fields["room"], fields["key"] = kind, "lobby", key
		if err := bob.say(fields); err != nil {
			t.Fatal(err)
		}
		for {
			frame, err := bob.hear()
			if err != nil || frame.Type == "error" {
				t.Fatalf("%s: %+v, %v", kind, frame, err)
			}
			if frame.Key == key {
				return frame.ID
			}
		}
	}

	id := do("send", map[string]any{"text": "Tea at four"})
	ada.shows("Tea at four")
	message := `document.getElementById("m` + id + `")`
	answer := do("send", map[string]any{"text": "and cake", "reply_to": id})
	ada.shows("and cake")
	quote := func(text string) {
		t.Helper()
		ada.wait("the quote "+text, `document.getElementById("m`+answer+`").querySelector(".quote").innerText === "`+text+`"`)
	}
	quote("Bob Tea at four")
	do("edit", map[string]any{"of": id, "text": "Tea at **five**"})
	ada.shows("Tea at five")
	ada.wait("the edit to be marked", message+`.dataset.edited`)
	quote("Bob Tea at five")
	do("react", map[string]any{"of": id, "emoji": "👍", "on": true})
	ada.wait("the reaction", message+`.querySelector(".chip")?.dataset.emoji === "👍"`)
	do("topic", map[string]any{"text": "Tea"})
	ada.wait("the topic", `document.querySelector("#topic-button").innerText.trim() === "Tea"`)
	do("delete", map[string]any{"of": id})
	ada.wait("the message to be gone", message+`.matches("[data-deleted]") && !document.body.innerText.includes("Tea at")`)
	quote("Bob deleted message")
	expectStream(t, there, "lobby", ada)

	ada.open(here, "/r/lobby")
	ada.shows("and cake")
	if see[bool](ada, `document.documentElement.outerHTML.includes("Tea at")`) {
		t.Error("the deleted text is in the page")
	}
}
