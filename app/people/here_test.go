//go:build unix

package people_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/client"
)

// The list shows who is present in a room only to people who may read that room.
func TestListShowsPresence(t *testing.T) {
	t.Parallel()
	team := startTeam(t)
	created := decode[struct{ Room string }](t, team.mod.do("POST", "/rooms", `{"kind":"private","title":"Launch","members":["`+team.member.ID+`"]}`, http.StatusCreated))
	socket, err := team.server.Client(team.member.Token).Dial(t.Context(), client.Follow{Room: created.Room})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close(1000, "")
	here := func(by *person) (names []string) {
		for _, listed := range decode[[]struct {
			Name string
			Here bool
		}](t, by.do("GET", "/people", "", http.StatusOK)) {
			if listed.Here {
				names = append(names, listed.Name)
			}
		}
		return names
	}
	apptest.Eventually(t, 30*time.Second, "the moderator sees that Bob is here", func() bool {
		return slices.Equal(here(team.mod), []string{"Bob"})
	})
	if got := here(team.owner); len(got) != 0 {
		t.Errorf("the owner, who may not read the room, sees that %q are here, want nobody", got)
	}
	if page := team.mod.do("GET", "/people", "", http.StatusOK, "Accept", "text/html"); !strings.Contains(page, "here now") {
		t.Error("the page does not show that Bob is here")
	}
}
