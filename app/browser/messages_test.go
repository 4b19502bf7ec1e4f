//go:build unix

package browser

import (
	"fmt"
	"slices"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"
)

func TestMessagesReachBothServersAndSurviveOffline(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	ada, bob := newUserWithWorker(t, "Ada"), newUserWithWorker(t, "Bob")
	ada.enterName(here, "lobby")
	bob.enterName(there, "lobby")

	ada.send("hello Bob")
	ada.waitMessages("hello Bob")
	bob.waitMessages("hello Bob")
	bob.send("hello Ada")
	ada.waitMessages("hello Ada")

	ada.open(here, "/r/lobby")
	ada.waitUpToDate()
	ada.waitMessages("hello Bob", "hello Ada")

	ada.allowErrors("ERR_INTERNET_DISCONNECTED")
	ada.setOffline(true)
	ada.waitStatus("offline", "Offline")
	ada.send("one from the tunnel")
	ada.send("two from the tunnel")
	ada.wait("two waiting messages", `document.querySelectorAll("#messages .message:not([id])").length === 2`)
	bob.send("are you there?")
	bob.waitMessages("are you there?")
	ada.setOffline(false)
	ada.waitMessages("are you there?", "one from the tunnel", "two from the tunnel")
	bob.waitMessages("one from the tunnel", "two from the tunnel")
	ada.waitUpToDate()

	expectMatchesServer(t, here, "lobby", ada, bob)
	var texts []any
	for _, entry := range apptest.Entries(t, redis, "lobby") {
		texts = append(texts, entry.Values["text"])
	}
	if want := []any{"hello Bob", "hello Ada", "are you there?", "one from the tunnel", "two from the tunnel"}; !slices.Equal(texts, want) {
		t.Errorf("Redis has the texts %q, want %q", texts, want)
	}
}

func TestPageShowsEditsReactionsTopicsAndDeletions(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	ada, bob := newUserWithWorker(t, "Ada"), newGuest(t, there, "Bob")
	ada.join(here, "lobby")

	id := bob.send("lobby", "Tea at four")
	ada.waitMessages("Tea at four")
	message := `document.getElementById("m` + id + `")`
	reply := bob.reply("lobby", id, "and cake")
	ada.waitMessages("and cake")
	waitQuote := func(text string) {
		t.Helper()
		ada.wait("the quote "+text, `document.getElementById("m`+reply+`").querySelector(".quote").innerText === "`+text+`"`)
	}
	waitQuote("Bob Tea at four")
	bob.edit("lobby", id, "Tea at **five**")
	ada.waitMessages("Tea at five")
	ada.wait("the mark of the edit", message+`.dataset.edited`)
	waitQuote("Bob Tea at five")
	bob.react("lobby", id, "👍")
	ada.wait("the reaction", message+`.querySelector(".reaction")?.dataset.emoji === "👍"`)
	bob.setTopic("lobby", "Tea")
	ada.wait("the topic", `document.querySelector("#topic-button").innerText.trim() === "Tea"`)
	bob.delete("lobby", id)
	ada.wait("the message to be deleted", message+`.matches("[data-deleted]") && !document.body.innerText.includes("Tea at")`)
	waitQuote("Bob deleted message")
	expectMatchesServer(t, there, "lobby", ada)

	ada.open(here, "/r/lobby")
	ada.waitMessages("and cake")
	if eval[bool](ada, `document.documentElement.outerHTML.includes("Tea at")`) {
		t.Error("the deleted text is in the page")
	}
}

// A message keeps the IDs of 50 users who reacted. The page counts the others, both live and after a reload,
// and knows whether its own user is among them.
func TestReactionsOfACrowdAreCounted(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	bob := newGuest(t, server, "Bob")
	id := bob.send("lobby", "Tea at four")
	ada := newUserWithWorker(t, "Ada")
	ada.join(server, "lobby")
	crowd := make([]*guest, 55)
	for i := range crowd {
		crowd[i] = newGuest(t, server, fmt.Sprint("guest ", i))
		crowd[i].react("lobby", id, "👍")
	}
	chip := `document.getElementById("m` + id + `").querySelector(".reaction")`
	waitCount := func(count int, mine bool) {
		t.Helper()
		ada.wait(fmt.Sprintf("%d reactions", count), fmt.Sprintf(`%s?.innerText === "👍 %d" && %s.ariaPressed === "%t"`, chip, count, chip, mine))
	}
	waitCount(55, false)
	ada.click("#messages .reaction")
	waitCount(56, true)
	ada.open(server, "/r/lobby")
	waitCount(56, true)
	ada.click("#messages .reaction")
	waitCount(55, false)
	ada.open(server, "/r/lobby")
	waitCount(55, false)
}
