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
