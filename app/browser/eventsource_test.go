//go:build unix

package browser

import (
	"fmt"
	"slices"
	"syscall"
	"testing"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"
)

// An EventSource gives up after a response with a status other than 200, so a server that drains must never
// send one to a live read.
func TestEventSourceOutlivesRestarts(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	const restarts = 4
	const sources = 4  // Chromium opens up to 6 connections to one host
	const others = 200 // with this many more live reads, a drain takes 4 s
	redis := redistest.Start(t)
	restarted, other := startOnFixedPort(t, redis), apptest.Start(t, redis)
	token := other.SignIn("Ada")
	ada := newUser(t, "Ada")
	ada.allowErrors(append(serverDownErrors, "/favicon.ico")...)
	ada.open(restarted, "/healthz") // a page without our scripts
	ada.runScript(fmt.Sprintf(`window.sources = Array.from({ length: %d }, () => {
		const source = new EventSource("/r/lobby/events?last=0");
		source.read = [];
		source.addEventListener("entry", ({ data }) => source.read.push(JSON.parse(data).id));
		return source;
	});
	await Promise.all(sources.map((source) => new Promise((done) => source.addEventListener("followed", done))))`, sources))

	var stored []string
	post := func() {
		t.Helper()
		stored = append(stored, other.PostStored(token, "lobby", fmt.Sprint("message ", len(stored))))
	}
	for i := range restarts {
		for range others {
			stream, err := restarted.Client("").Live(t.Context(), client.Follow{Room: "other"}, client.NDJSON)
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Close()
		}
		restarted.Signal(syscall.SIGTERM)
		polls := 0
		apptest.Eventually(t, timeout, "the server to exit", func() bool {
			if polls++; polls%20 == 1 {
				post()
			}
			return restarted.HasExited()
		})
		restarted.Start()
		restarted.AwaitReady()
		post()
		ada.wait("every EventSource to be back or closed", fmt.Sprintf(
			`sources.every((source) => source.readyState === EventSource.CLOSED || source.read.length >= %d)`, len(stored)))
		if closed := eval[int](ada, `sources.filter((source) => source.readyState === EventSource.CLOSED).length`); closed > 0 {
			t.Fatalf("restart %d: %d of %d EventSources are closed, want 0", i+1, closed, sources)
		}
		for _, read := range eval[[][]string](ada, `sources.map((source) => source.read)`) {
			if !slices.Equal(read, stored) {
				t.Fatalf("restart %d: read %d entries, want %d", i+1, len(read), len(stored))
			}
		}
	}
}
