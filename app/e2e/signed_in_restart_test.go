//go:build unix

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"burble/app/accounts"
	"burble/app/apptest"
	"burble/app/identity"
	"burble/streams/conns"
	"burble/streams/redistest"
)

// 200 people in four private rooms reconnect after a restart of their server. The server checks each session and membership
// with few Redis commands, and signs nobody out.
func TestPeopleInPrivateRoomsReturnAfterARestart(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	const people, rooms = 200, 4
	redis := redistest.Start(t)
	const secret = "a secret that all servers share!"
	server := apptest.Start(t, redis, "SECRET="+secret, "RATE_ADDRESS=0")
	set := conns.New(conns.Options{Redis: redis.Redis(), Stream: "{0}:activity"})
	defer set.Close()
	known := accounts.New(accounts.Options{Redis: set, Secret: []byte(secret)})
	var tokens, ids []string
	for n := range people {
		user, err := identity.NewUser(fmt.Sprint("Person ", n))
		if err != nil {
			t.Fatal(err)
		}
		signedIn, err := known.Upgrade(t.Context(), accounts.SignIn{User: user, Device: "test"})
		if err != nil {
			t.Fatal(err)
		}
		tokens, ids = append(tokens, signedIn.Token), append(ids, user.ID)
	}
	var members []*member
	var authors []*member
	for r := range rooms {
		group := ids[r*people/rooms : (r+1)*people/rooms]
		body, _ := json.Marshal(map[string]any{"kind": "private", "title": "Launch", "members": group[1:]})
		status, response := server.Do(http.MethodPost, "/rooms", string(body), "Authorization", "Bearer "+tokens[r*people/rooms], "Content-Type", "application/json")
		var made struct{ Room string }
		if err := json.Unmarshal([]byte(response), &made); err != nil || status != http.StatusCreated {
			t.Fatalf("create a room: status %d, want 201: %s", status, response)
		}
		for i := range group {
			members = append(members, join(t.Context(), t, made.Room, tokens[r*people/rooms+i], server))
		}
		authors = append(authors, members[len(members)-1])
	}
	send := func(text string, want int) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		for _, author := range authors {
			if _, err := author.send(ctx, text); err != nil {
				t.Fatal(err)
			}
		}
		for _, member := range members {
			member.await(2*time.Minute, want)
		}
	}
	created := 1 + people/rooms // one entry for the room, and one for each member
	send("before", created+1)
	before := commandsOf(t, redis)
	server.Restart()
	send("after", created+2)
	during := commandsOf(t, redis).since(before)
	t.Logf("%d commands for %d sockets: %v", during.total(), people, during)
	if total := during.total(); total > 25*people {
		t.Errorf("the restart cost %d commands, want at most 25 for each of %d sockets: %v", total, people, during)
	}
	for n, token := range tokens {
		if status, body := server.Get("/me/sessions", "Authorization", "Bearer "+token); status != http.StatusOK {
			t.Errorf("GET /me/sessions as person %d after the restart: status %d, want 200: %s", n, status, body)
		}
	}
}
