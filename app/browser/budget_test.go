//go:build unix

package browser

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"

	cdpnetwork "github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// budget is a measured cost and its limit.
type budget struct {
	name        string
	cost, limit int
}

func (b budget) expect(t *testing.T) {
	t.Helper()
	t.Logf("%s: %d of %d", b.name, b.cost, b.limit)
	if b.cost > b.limit {
		t.Errorf("%s: %d, want at most %d", b.name, b.cost, b.limit)
	}
}

// sentence returns a message of typical length.
func sentence(n int) string {
	return fmt.Sprintf("Sentence %d of some length, as people write them when they talk", n)
}

// views.TestBudgets checks the sizes of the files against the same budgets. This test measures what the network transfers.
func TestBudgetsOfFirstVisit(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newUserWithWorker(t, "Ada")
	ada.join(server, "lobby")
	token := server.SignIn("Bob")
	for n := range 50 {
		server.Post(token, "lobby", client.NewKey(), sentence(n))
	}
	other := ada.newDevice(server) // with an empty cache
	other.open(server, "/r/lobby")
	other.waitUpToDate()
	type resource struct {
		Name                          string
		TransferSize, EncodedBodySize int
	}
	loaded := eval[[]resource](other, `[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].map((one) => one.toJSON())`)
	loaded = slices.DeleteFunc(loaded, func(one resource) bool { return strings.HasSuffix(one.Name, "/room-cache.js") }) // loaded after the page
	bytes := map[string]int{}
	for _, one := range loaded {
		kind := "other"
		for suffix, group := range map[string]string{"/r/lobby": "HTML", ".js": "scripts", ".css": "styles"} {
			if strings.HasSuffix(one.Name, suffix) {
				kind = group
			}
		}
		bytes[kind] += one.EncodedBodySize
		bytes["everything, with headers"] += one.TransferSize
	}
	for _, budget := range []budget{
		{"HTML", bytes["HTML"], 25 << 10},
		{"scripts", bytes["scripts"], 32 << 10},
		{"styles", bytes["styles"], 8 << 10},
		{"everything, with headers", bytes["everything, with headers"], 75 << 10},
		{"requests other than the WebSocket", len(loaded), 50},
	} {
		budget.expect(t)
	}
	if bytes["HTML"] == 0 || bytes["scripts"] == 0 || bytes["styles"] == 0 {
		t.Errorf("got %v bytes, want some HTML, scripts and styles", bytes)
	}
}

func TestBudgetOfLiveMessage(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	socket, err := server.Client("").Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Cut()
	socket.Send(client.Follow{Room: "lobby", HTML: true})
	if _, err := client.Await[*client.Followed](socket); err != nil {
		t.Fatal(err)
	}
	server.Post(server.SignIn("Ada"), "lobby", client.NewKey(), "hello")
	for {
		message, err := socket.Read()
		if err != nil {
			t.Fatal(err)
		}
		if message.Op != client.OpText {
			continue // a ping
		}
		var frame struct {
			Type    string
			Entries []struct{ Text, HTML string }
		}
		if err := json.Unmarshal(message.Data, &frame); err != nil {
			t.Fatal(err)
		}
		if frame.Type == "entries" {
			text := len(frame.Entries[0].Text) + len(frame.Entries[0].HTML)
			budget{"bytes of a live message without its text", len(message.Data) - text, 600}.expect(t)
			return
		}
	}
}

// Most of what a phone loads in a day is missed messages.
func TestBudgetOfCatchingUp(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newUserWithWorker(t, "Ada")
	ada.join(server, "lobby")
	var bytes, frames atomic.Int64
	if err := chromedp.Listen(ada.ctx, func(event any) {
		if received, ok := event.(*cdpnetwork.EventWebSocketFrameReceived); ok {
			bytes.Add(int64(len(received.Response.PayloadData)))
			frames.Add(1)
		}
	}); err != nil {
		t.Fatal(err)
	}
	ada.allowErrors("ERR_INTERNET_DISCONNECTED")
	ada.setOffline(true)
	ada.waitStatus("offline", "Offline") // Messages sent before this would arrive live, which costs more.
	token := server.SignIn("Bob")
	for n := range 100 {
		server.Post(token, "lobby", client.NewKey(), sentence(n))
	}
	ada.setOffline(false)
	ada.waitMessages(sentence(99))
	expectMatchesServer(t, server, "lobby", ada)
	budget{"bytes for each missed message", int(bytes.Load()) / 100, 130}.expect(t)
	if frames.Load() == 0 {
		t.Error("no frames were counted")
	}
}
