package web

import (
	"encoding/json"
	"strings"
	"testing"

	"burble/app/client"
	"burble/streams"

	"github.com/valyala/fasthttp"
)

// The server either accepts the room name in a URL as it is, or refuses the request with a status
// below 500.
func FuzzRoomInURL(f *testing.F) {
	for _, seed := range append(invalidRooms, "lobby", "a", "0_-", "lobby?limit=5", "lobby#x", "lobby/../x", "a//b", "%", "%zz", "\x00", "\xff", ";", "a\\b", "*", ":room") {
		f.Add(seed)
	}
	s := startOne(f)
	handle := s.fiber.Handler()
	f.Fuzz(func(t *testing.T, name string) {
		for _, path := range []string{"/r/" + name + "/messages", "/r/" + name} {
			var ctx fasthttp.RequestCtx
			ctx.Request.Header.SetMethod("GET")
			ctx.Request.Header.SetRequestURI(path)
			ctx.Request.Header.SetHost("localhost")
			handle(&ctx)
			status, body := ctx.Response.StatusCode(), ctx.Response.Body()
			var page client.History
			switch {
			case status >= 500:
				t.Fatalf("%q: status %d, want below 500: %s", path, status, body)
			case status >= 300:
			case !strings.HasPrefix(string(ctx.Response.Header.ContentType()), "application/json"): // a page
			case json.Unmarshal(body, &page) != nil || streams.CheckRoom(page.Room) != nil || !strings.HasPrefix(path, "/r/"+page.Room):
				t.Fatalf("%q: status %d with a history of another room: %s", path, status, body)
			}
		}
	})
}
