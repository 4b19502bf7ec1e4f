//go:build unix

package signin_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams"
	"burble/streams/redistest"
)

func TestInviteIsSpentOnlyByPostAndOncePerUser(t *testing.T) {
	t.Parallel()
	_, server, owner := startTeam(t, "ACCESS=members")
	_, path := owner.invite("uses", "2")
	for range 3 {
		page := owner.expect("page", newBrowser(t, server).get(path), http.StatusOK)
		if !strings.Contains(page.body, "Olga") || page.header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("the page does not name the inviter, or lacks Referrer-Policy: %v %s", page.header, page.body)
		}
		owner.expect("HEAD", newBrowser(t, server).do(http.MethodHead, path, ""), http.StatusOK)
	}
	bob := newBrowser(t, server)
	key := hiddenField(t, bob.get(path).body, "key")
	got := bob.expect("accept", bob.form(path, "key", key, "name", "Bob"), http.StatusSeeOther)
	if got.location() != "/welcome?next=%2F" {
		t.Errorf("redirected to %q, want the page /welcome", got.location())
	}
	bob.expect("welcome", bob.get(got.location()), http.StatusOK)
	for range 3 {
		bob.expect("accept again", bob.form(path, "key", newKey()), http.StatusSeeOther)
	}
	eve := newBrowser(t, server)
	eve.expect("accept", eve.json(http.MethodPost, path, "name", "Eve"), http.StatusOK)
	late := newBrowser(t, server)
	late.expect("accept a spent invite", late.json(http.MethodPost, path, "name", "Late"), http.StatusNotFound)
	bob.expect("accept again, when it is spent", bob.form(path), http.StatusSeeOther)
	people := decode[[]struct{ Name string }](bob, bob.do(http.MethodGet, "/people", ""))
	if len(people) != 3 {
		t.Errorf("got people %v, want Olga, Bob and Eve", people)
	}
}

func TestRepeatedRequestCreatesOneAccount(t *testing.T) {
	t.Parallel()
	_, server, owner := startTeam(t)
	_, path := owner.invite("uses", "1")
	for _, path := range []string{path, "/sign-up"} {
		key := newKey()
		first := decode[signInResponse](owner, newBrowser(t, server).json(http.MethodPost, path, "name", "Bob", "key", key))
		again := decode[signInResponse](owner, newBrowser(t, server).json(http.MethodPost, path, "name", "Bob", "key", key))
		if first.Token == "" || again.User != first.User {
			t.Errorf("POST %s: got %+v, and when repeated %+v; want the same user", path, first, again)
		}
	}
}

// The request that creates an account ends the guest's token. If its response is lost, the guest has no valid token, but
// must be able to repeat the request.
func TestGuestMayRepeatARequestThatCreatedAnAccount(t *testing.T) {
	t.Parallel()
	_, server, owner := startTeam(t)
	_, path := owner.invite("uses", "1")
	for _, path := range []string{path, "/sign-up"} {
		bob := newBrowser(t, server)
		guest := decode[signInResponse](bob, bob.json(http.MethodPost, "/session", "name", "Bob"))
		page, _ := url.Parse(bob.origin)
		cookies := bob.client.Jar.Cookies(page)
		key := newKey()
		first := decode[signInResponse](bob, bob.json(http.MethodPost, path, "key", key))
		apptest.Eventually(t, 30*time.Second, "the guest's token to end", func() bool {
			return newBrowser(t, server).do(http.MethodGet, "/rooms", "", "Authorization", "Bearer "+guest.Token).status == http.StatusForbidden
		})
		for range 2 {
			bob.client.Jar.SetCookies(page, cookies)
			again := decode[signInResponse](bob, bob.json(http.MethodPost, path, "key", key))
			if first.Token == "" || again.User != guest.User {
				t.Errorf("POST %s: got %+v, and when repeated %+v; want the guest %+v", path, first, again, guest.User)
			}
		}
		bob.client.Jar.SetCookies(page, cookies)
		if got := bob.json(http.MethodPost, path, "key", newKey()); got.status < 400 {
			t.Errorf("POST %s with another key: status %d, want an error", path, got.status)
		}
	}
}

func TestConcurrentRedemptionsDoNotExceedInviteUses(t *testing.T) {
	t.Parallel()
	_, server, owner := startTeam(t)
	_, path := owner.invite("uses", "3")
	statuses := make(chan int, 10)
	var running sync.WaitGroup
	for range cap(statuses) {
		device := newBrowser(t, server)
		running.Go(func() { statuses <- device.json(http.MethodPost, path, "name", "Bob", "key", newKey()).status })
	}
	running.Wait()
	close(statuses)
	count := map[int]int{}
	for status := range statuses {
		count[status]++
	}
	if count[http.StatusOK] != 3 || count[http.StatusNotFound] != 7 {
		t.Errorf("got statuses %v, want 200 three times and 404 otherwise", count)
	}
}

// account returns the access that a person with an account has to rooms.
func account(store *streams.Store, signedIn signInResponse) streams.Access {
	return store.AsRanked(streams.User{ID: signedIn.User.ID, Name: signedIn.User.Name}, streams.Account)
}

func TestInviteToAPrivateRoom(t *testing.T) {
	t.Parallel()
	redis, server, owner := startTeam(t)
	store := redistest.Open(t, streams.Options{Redis: redis.Redis()})
	ada, adaAccount := owner.join("Ada")
	room, err := account(store, adaAccount).CreatePrivate(t.Context(), "Launch", nil)
	if err != nil {
		t.Fatal(err)
	}
	remove := func(person signInResponse) {
		t.Helper()
		entry := streams.Entry{Kind: streams.MemberChanged, Key: newKey(), Member: streams.User{ID: person.User.ID, Name: person.User.Name}, Role: streams.NoRole}
		if _, err := account(store, adaAccount).Append(t.Context(), room, entry); err != nil {
			t.Fatal(err)
		}
	}
	owner.expect("an invite to a room that the owner may not see", owner.json(http.MethodPost, "/invites", "room", room), http.StatusNotFound)
	ada.expect("an invite to the server by a member", ada.json(http.MethodPost, "/invites"), http.StatusForbidden)
	ada.expect("an invite to a public room by a member", ada.json(http.MethodPost, "/invites", "room", "lobby"), http.StatusForbidden)
	_, path := ada.invite("room", room, "uses", "5")
	if page := newBrowser(t, server).get(path); strings.Contains(page.body, room) || strings.Contains(page.body, "Launch") {
		t.Errorf("the page of the invite names the room: %s", page.body)
	}
	bob := newBrowser(t, server)
	signedIn := decode[signInResponse](bob, bob.expect("accept", bob.json(http.MethodPost, path, "name", "Bob"), http.StatusOK))
	if signedIn.Room != room {
		t.Fatalf("joined %q, want %q", signedIn.Room, room)
	}
	bob.expect("read the room", bob.do(http.MethodGet, "/r/"+room+"/messages", ""), http.StatusOK)
	bob.expect("accept again", bob.json(http.MethodPost, path), http.StatusOK)

	_, older := ada.invite("room", room)
	id, _, _ := strings.Cut(strings.TrimPrefix(older, "/i/"), ".")
	client := redis.Client()
	defer client.Close()
	client.HIncrBy(t.Context(), "{0}:invite:"+id, "created", -2)
	remove(signedIn)
	bob.expect("accept another invite that is older than the removal", bob.json(http.MethodPost, older), http.StatusNotFound)
	bob.expect("accept after the removal", bob.json(http.MethodPost, path), http.StatusNotFound)
	bob.expect("read the room after the removal", bob.do(http.MethodGet, "/r/"+room+"/messages", ""), http.StatusNotFound)
	_, second := ada.invite("room", room)
	bob.expect("accept a new invite", bob.json(http.MethodPost, second), http.StatusOK)
	bob.expect("read the room again", bob.do(http.MethodGet, "/r/"+room+"/messages", ""), http.StatusOK)

	_, third := bob.invite("room", room, "uses", "5")
	remove(signedIn)
	eve := newBrowser(t, server)
	eve.expect("page of an invite by a former member", eve.get(third), http.StatusNotFound)
	eve.expect("accept an invite by a former member", eve.json(http.MethodPost, third, "name", "Eve"), http.StatusNotFound)
	if people := owner.do(http.MethodGet, "/people", ""); strings.Contains(people.body, "Eve") {
		t.Errorf("an invalid invite created an account: %s", people.body)
	}
}
