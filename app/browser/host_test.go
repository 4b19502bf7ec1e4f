//go:build unix

package browser

import (
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/chromedp"
)

// By default, nginx changes the Host header. The server then refuses every sign-in and every WebSocket from its own pages.
func TestPageNamesAProxyThatChangesHost(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	var target atomic.Pointer[apptest.Server]
	target.Store(server)
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		to, err := url.Parse(target.Load().URL())
		if err != nil {
			t.Error(err)
			return
		}
		r.SetURL(to)
	}})
	t.Cleanup(proxy.Close)
	// This server starts before Ada's page opens, so that it stops after the page closes.
	remedied := apptest.Start(t, redistest.Start(t), "ORIGINS="+proxy.URL)
	ada := newUser(t, "Ada")
	ada.allowErrors("403")
	for _, path := range []string{"/", "/r/lobby"} {
		ada.do(chromedp.Navigate(proxy.URL + path))
		ada.wait("what to configure", `document.querySelector(".notice")?.textContent.includes("ORIGINS=" + location.origin)`)
		ada.waitStatus("connecting", "Blocked by a proxy setting")
	}
	ada.typeInto(`form[action="/session"] input[name=name]`, "Ada")
	ada.press("Enter")
	ada.wait("the error page", `document.querySelector("h1")?.textContent === "A proxy in front of this server changes the Host header" &&
		document.body.textContent.includes("ORIGINS=" + location.origin)`)

	// ORIGINS is enough, even if the proxy still changes the header.
	target.Store(remedied)
	ada.do(chromedp.Navigate(proxy.URL + "/r/lobby"))
	ada.typeInto(`form[action="/session"] input[name=name]`, "Ada")
	ada.press("Enter")
	ada.waitVisible(`#composer textarea`)
	ada.waitUpToDate()
	ada.expect("the notice", `String(document.querySelector(".notice"))`, "null")
}
