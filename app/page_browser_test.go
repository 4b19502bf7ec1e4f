package main

import (
	"slices"
	"testing"

	"burble/streams/redistest"
)

// expectStream compares what a page shows with the stream: the same messages, in
// the same order, none twice.
func expectStream(t *testing.T, server *testServer, room string, people ...*browserPerson) {
	t.Helper()
	var want []string
	for _, entry := range server.history(room, "?limit=500").Entries {
		want = append(want, entry.ID+" "+entry.Text)
	}
	for _, p := range people {
		if got := p.shown(); !slices.Equal(got, want) {
			t.Errorf("%s sees\n%q, and stored is\n%q", p.name, got, want)
		}
	}
}

func TestTwoBrowsersTalkThroughAnAbsence(t *testing.T) {
	here, there := startTwo(t, redistest.Start(t).Redis())
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
	if got := texts(here.history("lobby", "").Entries); !slices.Equal(got, []string{
		"hello Bob", "hello Ada", "are you there?", "one from the tunnel", "two from the tunnel",
	}) {
		t.Errorf("stored: %q", got)
	}
}

func TestPageShowsWhatBecomesOfAMessage(t *testing.T) {
	here, there := startTwo(t, redistest.Start(t).Redis())
	ada := newBrowserPerson(t, "Ada")
	ada.join(here, "lobby")
	bob := there.connect(there.guest("Bob"))
	bob.follow("lobby", "")

	id := bob.say("lobby", "Tea at four")
	ada.shows("Tea at four")
	message := `document.getElementById("m` + id + `")`
	bob.do(`{"type":"edit","room":"lobby","key":"%s","of":"%s","text":"Tea at **five**"}`, newKey(), id)
	ada.shows("Tea at five")
	ada.wait("the edit to be marked", message+`.dataset.edited`)
	bob.do(`{"type":"react","room":"lobby","key":"%s","of":"%s","emoji":"👍","on":true}`, newKey(), id)
	ada.wait("the reaction", message+`.querySelector(".chip")?.dataset.emoji === "👍"`)
	answer := bob.do(`{"type":"send","room":"lobby","key":"%s","text":"and cake","reply_to":"%s"}`, newKey(), id)
	ada.wait("the reply to show what it answers", `document.getElementById("m`+answer+`")?.querySelector(".quote").innerText.includes("Tea at")`)
	bob.do(`{"type":"topic","room":"lobby","key":"%s","text":"Tea"}`, newKey())
	ada.wait("the topic", `document.querySelector("#topic-button").innerText.trim() === "Tea"`)
	bob.do(`{"type":"delete","room":"lobby","key":"%s","of":"%s"}`, newKey(), id)
	ada.wait("the message to be gone", message+`.matches("[data-deleted]") && !document.body.innerText.includes("Tea at")`)

	ada.open(here, "/r/lobby")
	ada.shows("and cake")
	if see[bool](ada, `document.documentElement.outerHTML.includes("Tea at")`) {
		t.Error("the deleted text is in the page")
	}
}
