//go:build unix

package signin_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
)

func TestLinkSignsInOnceForConcurrentRequests(t *testing.T) {
	t.Parallel()
	_, server, owner := startTeam(t)
	bob, signedIn := owner.join("Bob")
	path := bob.link(signedIn.User.ID)
	for range 3 { // as programs that preview links do
		page := bob.expect("page", newBrowser(t, server).get(path), http.StatusOK)
		if !strings.Contains(page.body, "Bob") || page.header.Get("Cache-Control") != "no-store" || page.header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("the page does not name Bob, or its headers are wrong: %v %s", page.header, page.body)
		}
		newBrowser(t, server).expect("HEAD", newBrowser(t, server).do(http.MethodHead, path, ""), http.StatusOK)
	}
	results := make(chan int, 8)
	var running sync.WaitGroup
	for range cap(results) {
		device := newBrowser(t, server)
		running.Go(func() { results <- device.json(http.MethodPost, path, "key", newKey()).status })
	}
	running.Wait()
	close(results)
	count := map[int]int{}
	for status := range results {
		count[status]++
	}
	if count[http.StatusOK] != 1 || count[http.StatusNotFound] != 7 {
		t.Errorf("got statuses %v, want one 200 and 404 for all others", count)
	}
	bob.expect("page of a used link", bob.get(path), http.StatusNotFound)
}

func TestInvalidCodesGetTheSameResponse(t *testing.T) {
	t.Parallel()
	_, server, owner := startTeam(t)
	bob, signedIn := owner.join("Bob")
	used, ofBanned := bob.link(signedIn.User.ID), bob.link(signedIn.User.ID)
	newBrowser(t, server).json(http.MethodPost, used)
	id, revoked := owner.invite()
	owner.expect("revoke", owner.do(http.MethodDelete, "/invites/"+id, ""), http.StatusNoContent)
	_, spent := owner.invite("uses", "1")
	newBrowser(t, server).json(http.MethodPost, spent, "name", "Eve")
	owner.expect("ban", owner.json(http.MethodPut, "/people/"+signedIn.User.ID+"/ban"), http.StatusNoContent)

	for _, group := range [][]string{
		{"/l/AAAAAAAAAAAAAAAAAAAAAAAAAA", used, ofBanned, "/l/x"},
		{"/i/AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA", revoked, spent, "/i/x"},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			answers := map[string]bool{}
			for _, path := range group {
				var got response
				if method == http.MethodGet {
					got = newBrowser(t, server).do(method, path, "")
				} else if strings.HasPrefix(path, "/i/") {
					got = newBrowser(t, server).json(method, path, "name", "Mallory")
				} else {
					got = newBrowser(t, server).json(method, path)
				}
				got.header.Del("Date")
				answers[http.StatusText(got.status)+got.body] = true
				owner.expect(method+" "+path, got, http.StatusNotFound)
			}
			if len(answers) != 1 {
				t.Errorf("%s of %v: got %d different responses, want identical ones: %v", method, group, len(answers), answers)
			}
		}
	}
}

func TestModeratorCreatesLinksForMembersOnly(t *testing.T) {
	t.Parallel()
	_, _, owner := startTeam(t)
	mod, modAccount := owner.join("Max")
	bob, bobAccount := owner.join("Bob")
	owner.expect("role", owner.json(http.MethodPut, "/people/"+modAccount.User.ID+"/role", "role", "moderator"), http.StatusNoContent)
	for _, test := range []struct {
		by     *browser
		whose  string
		status int
	}{
		{bob, bobAccount.User.ID, http.StatusCreated}, {bob, modAccount.User.ID, http.StatusForbidden}, {bob, newKey(), http.StatusForbidden},
		{mod, bobAccount.User.ID, http.StatusCreated}, {mod, owner.userID, http.StatusForbidden}, {owner, modAccount.User.ID, http.StatusCreated},
	} {
		test.by.expect("link", test.by.json(http.MethodPost, "/people/"+test.whose+"/link"), test.status)
	}
	page := bob.expect("link by a form", bob.form("/people/"+bobAccount.User.ID+"/link"), http.StatusOK)
	if !strings.Contains(page.body, `src="data:image/png;base64,`) || !strings.Contains(page.body, bob.origin+"/l/") || page.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the page lacks the link or its QR code: %v %s", page.header, page.body)
	}
}
