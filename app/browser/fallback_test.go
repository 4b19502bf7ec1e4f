//go:build unix

package browser

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/chromedp"
)

// socketBlocker is a proxy that may block WebSockets.
type socketBlocker struct {
	*httptest.Server
	mode atomic.Value // pass, refuse or hang
}

func startSocketBlocker(t *testing.T, server *apptest.Server, mode string) *socketBlocker {
	t.Helper()
	target, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	b := new(socketBlocker)
	b.mode.Store(mode)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(target)
			request.Out.Host = request.In.Host
		},
		ErrorLog: log.New(io.Discard, "", 0), // the test kills the server
	}
	ended := make(chan struct{})
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			switch b.mode.Load() {
			case "refuse":
				http.Error(w, "WebSockets are forbidden", http.StatusForbidden)
				return
			case "hang":
				select {
				case <-r.Context().Done():
				case <-ended:
				}
				return
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		close(ended)
		b.CloseClientConnections()
		b.Close()
	})
	return b
}

func TestPageFallsBackToHTTPWhenWebSocketsAreBlocked(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	for _, mode := range []string{"refuse", "hang"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			redis := redistest.Start(t)
			server := startOnFixedPort(t, redis)
			proxy := startSocketBlocker(t, server, mode)
			bob := newGuest(t, server, "Bob")
			bob.follow("lobby")
			bob.send("lobby", "before")

			ada := newUser(t, "Ada")
			ada.allowErrors(append(serverDownErrors, "WebSocket", "403", "502", "ERR_INCOMPLETE_CHUNKED_ENCODING")...)
			ada.do(chromedp.Navigate(proxy.URL + "/r/lobby"))
			ada.typeInto(`form[action="/session"] input[name=name]`, "Ada")
			ada.press("Enter")
			ada.waitVisible(`#composer textarea`)
			ada.waitStatus("live", "Up to date")
			ada.waitMessages("before")
			ada.send("over *HTTP*")
			ada.waitMessages("over HTTP")
			bob.send("lobby", "**live**")
			ada.waitMessages("live")
			ada.clickAction("before", "react")
			ada.wait("the reaction to be stored", `document.querySelector(".reaction")?.innerText === "👍 1" && !document.querySelector("#messages [data-pending]")`)
			ada.clickAction("over HTTP", "edit")
			ada.typeText(", edited")
			ada.press("Enter")
			ada.wait("the edit to be stored", `[...document.querySelectorAll("#messages .body")].some((body) => body.innerText.includes("edited")) && !document.querySelector("#messages [data-pending]")`)

			// The status is truthful while the server is down.
			server.Kill()
			ada.waitStatus("connecting", "Connecting…")
			ada.send("while it is down")
			ada.waitStatus("connecting", "Connecting, 1 unsent")
			server.Start()
			server.AwaitReady()
			ada.waitMessages("while it is down")
			ada.waitStatus("live", "Up to date")

			// The next pages use HTTP at once, without first waiting for a WebSocket.
			ada.do(chromedp.Navigate(proxy.URL + "/"))
			ada.waitStatus("live", "Up to date")
			ada.do(chromedp.Navigate(proxy.URL + "/r/lobby"))
			ada.waitStatus("live", "Up to date")

			proxy.mode.Store("pass")
			ada.runScript(`dispatchEvent(new Event("online"))`)
			ada.wait("a WebSocket", `!localStorage.getItem("burble:blocked")`)
			ada.waitStatus("live", "Up to date")
			ada.send("over a WebSocket")
			ada.waitMessages("over a WebSocket")
			apptest.ExpectStoredOnce(t, redis, "lobby", 7)
		})
	}
}
