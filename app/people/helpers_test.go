//go:build unix

package people_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"
)

// Helpers of this package's tests:
//
//	team      is a server with the owner Olga, the moderator Max and the member Bob; startTeam starts it
//	person    is a program with the token of an account
//	signIn    sends a request that signs in, and returns the person
//	decode    parses a response

func TestMain(m *testing.M) { os.Exit(apptest.Main(m)) }

// person is a program with the token of an account.
type person struct {
	*testing.T
	server *apptest.Server
	ID     string
	Token  string
}

// do sends a request with a JSON object as its body, or none, and checks the status.
func (p *person) do(method, path, body string, status int, headers ...string) (response string) {
	p.Helper()
	if p.Token != "" {
		headers = append(headers, "Authorization", "Bearer "+p.Token)
	}
	if body != "" {
		headers = append(headers, "Content-Type", "application/json")
	}
	got, response := p.server.Do(method, path, body, headers...)
	if got != status {
		p.Fatalf("%s %s %s: status %d, want %d: %.500s", method, path, body, got, status, response)
	}
	return response
}

func decode[T any](t *testing.T, response string) (value T) {
	t.Helper()
	if err := json.Unmarshal([]byte(response), &value); err != nil {
		t.Fatalf("%v in %.500s", err, response)
	}
	return value
}

var setupCode = regexp.MustCompile(`/setup\?code=([\w.-]+)`)

// signIn sends a request that signs in, and returns the person.
func signIn(t *testing.T, server *apptest.Server, path, body string, status int) *person {
	t.Helper()
	nobody := &person{T: t, server: server}
	signedIn := decode[struct {
		User  struct{ ID string }
		Token string
	}](t, nobody.do(http.MethodPost, path, body, status))
	return &person{T: t, server: server, ID: signedIn.User.ID, Token: signedIn.Token}
}

// team has a person with each role.
type team struct {
	redis              *redistest.Server
	server             *apptest.Server
	owner, mod, member *person
}

func startTeam(t *testing.T, env ...string) team {
	t.Helper()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis, env...)
	var found []string
	apptest.Eventually(t, 30*time.Second, "the setup link is logged", func() bool {
		found = setupCode.FindStringSubmatch(server.Output())
		return found != nil
	})
	code := found[1]
	owner := signIn(t, server, "/setup", `{"code":"`+code+`","name":"Olga"}`, http.StatusCreated)
	mod, member := owner.invite("Max"), owner.invite("Bob")
	owner.do(http.MethodPut, "/people/"+mod.ID+"/role", `{"role":"moderator"}`, http.StatusNoContent)
	mod.eventually("the moderator has the rank", http.MethodGet, "/audit", http.StatusOK)
	return team{redis, server, owner, mod, member}
}

// invite creates an invite to the server as p, and returns a new person who has accepted it.
func (p *person) invite(name string) *person {
	p.Helper()
	made := decode[struct{ URL string }](p.T, p.do(http.MethodPost, "/invites", "{}", http.StatusCreated))
	target, err := url.Parse(made.URL)
	if err != nil {
		p.Fatal(err)
	}
	return signIn(p.T, p.server, target.Path, `{"name":"`+name+`"}`, http.StatusOK)
}

// eventually waits until a request gets the status. It takes a moment until a server reads from Redis that a role or a
// session has changed.
func (p *person) eventually(what, method, path string, status int) {
	p.Helper()
	apptest.Eventually(p, 30*time.Second, what, func() bool {
		got, _ := p.server.Do(method, path, "", "Authorization", "Bearer "+p.Token)
		return got == status
	})
}
