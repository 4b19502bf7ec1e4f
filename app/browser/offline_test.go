//go:build unix

package browser

import (
	"fmt"
	"testing"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"
)

func TestRoomLeftImmediatelyDoesNotClaimToBeEmpty(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := startOnFixedPort(t, redis), apptest.Start(t, redis)
	ada := newUser(t, "Ada")
	ada.allowErrors(serverDownErrors...)
	bob := there.SignIn("Bob")
	for _, text := range numbered(70) {
		there.Post(bob, "lobby", client.NewKey(), text)
	}
	there.Post(bob, "attic", client.NewKey(), "dust")
	ada.join(here, "attic")
	ada.waitSaved("attic", 1)
	ada.wait("the service worker", `navigator.serviceWorker.controller !== null`)
	ada.open(here, "/r/lobby")
	ada.wait("the page to be cached", `caches.match("/r/lobby")`)
	ada.open(here, "/")
	ada.wait("the list of rooms", `document.querySelector("#room-list a")`)
	ada.runScript(`indexedDB.open("burble").onsuccess = ({ target }) => target.result.transaction("rooms", "readwrite").objectStore("rooms").clear()`)
	ada.wait("no messages to be cached", `new Promise((done) => (indexedDB.open("burble").onsuccess = ({ target }) =>
		(target.result.transaction("rooms").objectStore("rooms").count().onsuccess = ({ target }) => done(target.result === 0))))`)
	here.Kill()
	ada.open(here, "/r/lobby")
	older := func(text string) string {
		return fmt.Sprintf(`document.querySelector("#older span").innerText === %q`, text)
	}
	ada.wait("the reason why there are no messages", older("The messages of this room are not saved on this device."))
	here.Start()
	here.AwaitReady()
	ada.waitUpToDate()
	ada.waitMessages("message 70")
}

// waitSaved waits until the page of a room and a number of its messages are saved on the device.
func (u *user) waitSaved(room string, messages int) {
	u.t.Helper()
	u.wait("the page of "+room+" to be saved", fmt.Sprintf(`caches.match("/r/%s")`, room))
	u.wait("the messages of "+room+" to be saved", fmt.Sprintf(`new Promise((done) => (indexedDB.open("burble").onsuccess = ({ target }) =>
		(target.result.transaction("rooms").objectStore("rooms").get(document.body.dataset.user + " %s").onsuccess = ({ target }) =>
			done(target.result?.entries.length === %d))))`, room, messages))
}
