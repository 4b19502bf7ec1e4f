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
	"burble/streams/redistest"

	cdpnetwork "github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
)

// budget is the most that something may cost.
type budget struct {
	what       string
	cost, most int
}

func (b budget) expect(t *testing.T) {
	t.Helper()
	t.Logf("%s: %d of %d", b.what, b.cost, b.most)
	if b.cost > b.most {
		t.Errorf("%s: %d, %d allowed", b.what, b.cost, b.most)
	}
}

// What views.TestBudgets weighs is also what comes through the network.
func TestBudgetsOfARoomOpenedForTheFirstTime(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "lobby")
	token := server.SignIn("Bob")
	for n := range 50 {
		server.Post(token, "lobby", uuid.NewString(), fmt.Sprintf("Sentence %d of some length, as people write them when they talk", n))
	}
	other := ada.onAnotherDevice(server) // with nothing in its cache
	other.open(server, "/r/lobby")
	other.upToDate()
	type entry struct {
		Name                                           string
		TransferSize, EncodedBodySize, DecodedBodySize int
	}
	loaded := see[[]entry](other, `[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].map((one) => one.toJSON())`)
	weights := map[string]int{}
	loaded = slices.DeleteFunc(loaded, func(one entry) bool { return strings.HasSuffix(one.Name, "/keep.js") }) // comes a second after the page
	for _, one := range loaded {
		kind := "the rest"
		for ending, its := range map[string]string{"/r/lobby": "HTML", ".js": "scripts", ".css": "styles"} {
			if strings.HasSuffix(one.Name, ending) {
				kind = its
			}
		}
		weights[kind] += one.EncodedBodySize
		weights["everything, with headers"] += one.TransferSize
	}
	for _, budget := range []budget{
		{"HTML", weights["HTML"], 25 << 10},
		{"scripts", weights["scripts"], 30 << 10},
		{"styles", weights["styles"], 8 << 10},
		{"everything, with headers", weights["everything, with headers"], 75 << 10},
		{"requests, and a WebSocket", len(loaded), 50},
	} {
		budget.expect(t)
	}
	if weights["HTML"] == 0 || weights["scripts"] == 0 || weights["styles"] == 0 {
		t.Errorf("measured %v", weights)
	}
}

func TestBudgetOfALiveMessage(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	reader, err := dial(server.URL(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer reader.cut()
	reader.say(map[string]any{"type": "follow", "room": "lobby", "last": 0, "html": true})
	if followed, err := reader.hear(); err != nil || followed.Type != "followed" {
		t.Fatalf("%+v %v", followed, err)
	}
	server.Post(server.SignIn("Ada"), "lobby", uuid.NewString(), "hello")
	for {
		_, data, err := reader.conn.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		var frame struct {
			Type    string
			Entries []struct{ Text, HTML string }
		}
		if err := json.Unmarshal(data, &frame); err != nil {
			t.Fatal(err)
		}
		if frame.Type == "entries" {
			text := len(frame.Entries[0].Text) + len(frame.Entries[0].HTML)
			budget{"bytes of a live message besides its text", len(data) - text, 600}.expect(t)
			return
		}
	}
}

// What was missed is most of what a phone loads all day.
func TestBudgetOfAnAbsence(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "lobby")
	var bytes, frames atomic.Int64
	if err := chromedp.Listen(ada.ctx, func(event any) {
		if came, ok := event.(*cdpnetwork.EventWebSocketFrameReceived); ok {
			bytes.Add(int64(len(came.Response.PayloadData)))
			frames.Add(1)
		}
	}); err != nil {
		t.Fatal(err)
	}
	ada.forgive("ERR_INTERNET_DISCONNECTED")
	ada.offline(true)
	ada.waitTruth("offline", "Offline") // What comes before is not missed, and costs more.
	token := server.SignIn("Bob")
	for n := range 100 {
		server.Post(token, "lobby", uuid.NewString(), fmt.Sprintf("Sentence %d of some length, as people write them when they talk", n))
	}
	ada.offline(false)
	ada.shows("Sentence 99 of some length, as people write them when they talk")
	expectStream(t, server, "lobby", ada)
	budget{"bytes by message missed", int(bytes.Load()) / 100, 130}.expect(t)
	if frames.Load() == 0 {
		t.Error("no frames were counted")
	}
}
