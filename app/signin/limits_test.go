//go:build unix

package signin_test

import (
	"net/http"
	"strings"
	"testing"

	"burble/app/apptest"
	"burble/app/throttle"
	"burble/streams/redistest"
)

func TestSignInAttemptsOfOneAddressAreLimited(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t), "RATE_ADDRESS=1000")
	mallory := newBrowser(t, server)
	requests := []func() response{
		func() response { return mallory.get("/l/AAAAAAAAAAAAAAAAAAAAAAAAAA") },
		func() response { return mallory.json(http.MethodPost, "/l/AAAAAAAAAAAAAAAAAAAAAAAAAA") },
		func() response { return mallory.get("/i/AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA") },
		func() response { return mallory.get("/setup?code=x") },
		func() response { return mallory.json(http.MethodPost, "/sign-in/options") },
		func() response { return mallory.json(http.MethodPost, "/passkeys/options", "name", "M") },
	}
	for i := range throttle.SignInBurst + 20 {
		for _, request := range requests {
			if got := request(); got.status == http.StatusTooManyRequests {
				if i*len(requests) > throttle.SignInBurst+20 || got.header.Get("Retry-After") == "" {
					t.Errorf("the limit took effect only in round %d, or without Retry-After: headers %v", i, got.header)
				}
				return
			}
		}
	}
	t.Errorf("more than %d attempts were made without reaching the limit", throttle.SignInBurst)
}

func TestCodesAreNotLogged(t *testing.T) {
	t.Parallel()
	redis, server, owner := startTeam(t, "LOG_LEVEL=debug")
	_, invite := owner.invite()
	link := owner.link(owner.userID)
	_, setup := setupPath(t, server)
	stranger := newBrowser(t, server)
	redis.Kill()
	for _, path := range []string{invite, link, "/setup?code=" + setup} {
		for range 2 {
			if got := stranger.do(http.MethodGet, path, ""); got.status != http.StatusServiceUnavailable {
				t.Errorf("without Redis: status %d, want 503: %s", got.status, got.body)
			}
			stranger.json(http.MethodPost, path, "name", "Bob")
		}
	}
	output := server.Output()
	for _, secret := range []string{strings.TrimPrefix(invite, "/i/"), strings.TrimPrefix(link, "/l/")} {
		if strings.Contains(output, secret) {
			t.Errorf("the log contains the code %s", secret)
		}
	}
	if n := strings.Count(output, setup); n != 1 {
		t.Errorf("the log contains the setup code %d times, want once", n)
	}
	if !strings.Contains(output, "/i/…") {
		t.Errorf("want \"/i/…\", the path of a failed request without its code, in the log, got: %s", output)
	}
}
