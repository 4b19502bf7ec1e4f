package web

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"burble/app/accounts"
	"burble/app/client"
	"burble/app/fetch"
	"burble/app/previews"
	"burble/streams"

	"github.com/google/uuid"
)

// probe is one way in which a stranger may try to find out whether a room exists. The response must be the same
// whether it exists or not.
type probe struct {
	name string
	send func(s *testServer, user testUser, room string) string
}

// httpProbe makes a request. In path and body, ROOM stands for the room.
func httpProbe(method, path, body string, headers ...string) probe {
	return probe{fmt.Sprintf("%s %s %.40s %s", method, path, body, headers), func(s *testServer, user testUser, room string) string {
		replace := strings.NewReplacer("ROOM", room)
		all := slices.Clone(headers)
		if body != "" && !slices.ContainsFunc(headers, func(h string) bool { return strings.HasPrefix(h, "Content-Type") }) {
			all = append(all, "Content-Type: "+jsonType)
		}
		if user.Token != "" {
			all = append(all, user.bearer())
		}
		got := s.request(method, replace.Replace(path), replace.Replace(body), all...)
		got.header.Del("Date")
		return describe(got, room)
	}}
}

// describe returns the whole response as text, without the name of the room.
func describe(got response, room string) string {
	var text strings.Builder
	fmt.Fprintln(&text, got.status)
	for _, name := range slices.Sorted(maps.Keys(got.header)) {
		fmt.Fprintln(&text, name, got.header[name])
	}
	return strings.ReplaceAll(text.String()+"\n"+got.body, room, "ROOM")
}

// frameProbe sends a frame over a WebSocket, and returns everything that the server sends up to the pong.
func frameProbe(frame string) probe {
	return probe{"WebSocket " + frame, func(s *testServer, user testUser, room string) string {
		c := s.connect(user)
		defer c.Cut()
		c.send(strings.ReplaceAll(frame, "ROOM", room))
		c.send(`{"type":"ping"}`)
		return framesUntil[*client.Pong](c, room)
	}}
}

// framesUntil returns the frames up to one of type F, without the name of the room.
func framesUntil[F client.Frame](c *testSocket, room string) (text string) {
	for {
		got := c.nextFrame("the last frame")
		if _, ok := got.Frame.(F); ok {
			return strings.ReplaceAll(text, room, "ROOM")
		}
		text += got.text + "\n"
	}
}

func probes(key, userID string) []probe {
	const html, form = "Accept: text/html", "Content-Type: " + formType
	list := []probe{
		httpProbe("GET", "/r/ROOM", "", html), httpProbe("GET", "/r/ROOM", ""), httpProbe("HEAD", "/r/ROOM", ""),
		httpProbe("GET", "/r/ROOM?at=2026-03-01", "", html), httpProbe("GET", "/r/ROOM/1732281600000-0", "", html),
		httpProbe("GET", "/r/ROOM/messages", ""), httpProbe("GET", "/r/ROOM/messages?html=true&limit=5", ""), httpProbe("GET", "/r/ROOM/messages?limit=x", ""),
		httpProbe("POST", "/r/ROOM/messages", `{"text":"hi","key":"`+key+`"}`), httpProbe("POST", "/r/ROOM/messages", `{"text":"@Ada hi"}`),
		httpProbe("POST", "/r/ROOM/messages", `{"text":"hi","reply_to":"1732281600000-0"}`),
		httpProbe("POST", "/r/ROOM/messages", "text=hi&key="+key, form, html), httpProbe("POST", "/r/ROOM/messages", "hi", "Content-Type: text/plain"),
		httpProbe("GET", "/r/ROOM/events", "", "Accept: text/event-stream"), httpProbe("GET", "/r/ROOM/events", "", "Accept: application/x-ndjson"),
		httpProbe("GET", "/r/ROOM/events", "", "Accept: text/plain"), httpProbe("GET", "/r/ROOM/events?after=0-0@0", ""), httpProbe("HEAD", "/r/ROOM/events", ""),
		httpProbe("GET", "/r/ROOM/frames", ""), httpProbe("GET", "/r/ROOM/frames?last=5", ""),
		httpProbe("POST", "/r/ROOM/frames", `{"type":"send","room":"ROOM","key":"`+key+`","text":"hi"}`),
		httpProbe("POST", "/r/ROOM/frames", `{"type":"delete","room":"ROOM","key":"`+key+`","of":"1732281600000-0"}`),
		httpProbe("POST", "/r/ROOM/frames", `{"type":"read","room":"ROOM","id":"1732281600000-0"}`),
		httpProbe("GET", "/r/ROOM/search?q=hello", ""), httpProbe("GET", "/r/ROOM/search?from=Ada&html=true", ""),
		httpProbe("POST", "/r/ROOM/previews", `{"url":"https://10.0.0.1/"}`), httpProbe("POST", "/r/ROOM/previews", `{"url":"x"}`),
		httpProbe("POST", "/r/ROOM/messages", `{"text":"hi","preview":"x"}`), httpProbe("POST", "/r/ROOM/frames", `{"type":"send","room":"ROOM","key":"`+key+`","text":"hi","preview":"x"}`),
		httpProbe("POST", "/r/ROOM/files?name=x", "hi", "Content-Type: text/plain"), httpProbe("GET", "/f/ROOM/1732281600000-0/0", ""),
		httpProbe("GET", "/f/ROOM/1732281600000-0/0/thumbnail", ""), httpProbe("GET", "/f/ROOM/1732281600000-0/preview", "", html),
		httpProbe("GET", "/r/ROOM/members", ""), httpProbe("GET", "/r/ROOM/members", "", html),
		httpProbe("PATCH", "/r/ROOM", `{"title":"Mine"}`), httpProbe("PATCH", "/r/ROOM", `{"title":1}`), httpProbe("DELETE", "/r/ROOM", ""),
		httpProbe("PUT", "/r/ROOM/members/"+userID, `{"role":"moderator"}`), httpProbe("PUT", "/r/ROOM/members/"+uuid.NewString(), ""),
		httpProbe("DELETE", "/r/ROOM/members/"+userID, ""), httpProbe("DELETE", "/r/ROOM/members/"+userID+"/messages", ""),
		httpProbe("POST", "/r/ROOM/members", "action=add&user="+userID, form, html), httpProbe("POST", "/r/ROOM/members", "action=leave", form),
		httpProbe("POST", "/r/ROOM/settings", "title=Mine", form, html), httpProbe("POST", "/r/ROOM/delete", "confirm=ROOM", form, html),
		httpProbe("POST", "/rooms", `{"kind":"public","room":"ROOM","key":"`+key+`"}`),
		httpProbe("POST", "/session", "name=Eve%E2%80%8B&next=/r/ROOM", form, html),
		httpProbe("GET", "/open?room=ROOM", "", html), httpProbe("GET", "/open?room=ROOM", "", "Accept: application/json"),
		httpProbe("GET", "/rooms", ""), httpProbe("GET", "/", "", html),
		httpProbe("GET", "/ws?room=ROOM", ""), // without an upgrade
		{"WebSocket with a follow in its URL", func(s *testServer, user testUser, room string) string {
			var headers []string
			if user.Token != "" {
				headers = []string{user.bearer()}
			}
			c, refused := s.dialPath("/ws?room="+room, headers...)
			if refused != nil {
				return strings.ReplaceAll(refused.Error(), room, "ROOM")
			}
			defer c.Cut()
			await[*client.Hello](c)
			c.send(`{"type":"ping"}`)
			return framesUntil[*client.Pong](c, room)
		}},
	}
	for _, frame := range []string{
		`{"type":"follow","room":"ROOM"}`, `{"type":"follow","room":"ROOM","watch":true,"last":0}`, `{"type":"follow","room":"ROOM","after":"0-0@0"}`,
		`{"type":"unfollow","room":"ROOM"}`, `{"type":"typing","room":"ROOM"}`, `{"type":"read","room":"ROOM","id":"1732281600000-0"}`,
		`{"type":"send","room":"ROOM","key":"` + key + `","text":"hi"}`, `{"type":"send","room":"ROOM","key":"` + key + `","text":"@Ada","reply_to":"1732281600000-0"}`,
		`{"type":"edit","room":"ROOM","key":"` + key + `","of":"1732281600000-0","text":"x"}`, `{"type":"delete","room":"ROOM","key":"` + key + `","of":"1732281600000-0"}`,
		`{"type":"react","room":"ROOM","key":"` + key + `","of":"1732281600000-0","emoji":"👍","on":true}`, `{"type":"topic","room":"ROOM","key":"` + key + `","text":"x"}`,
	} {
		list = append(list, frameProbe(frame))
	}
	return list
}

func TestHiddenRoomsLookLikeRoomsThatNeverExisted(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]streams.Mode{"open": streams.Anyone, "read": streams.AccountsPost, "members": streams.AccountsOnly} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expectHidden(t, startOne(t, func(set *settings) {
				set.Mode, set.Previews = mode, &previews.Options{Client: fetch.New(fetch.Options{})}
			}))
		})
	}
}

func expectHidden(t *testing.T, s *testServer) {
	owner, ada, bob := s.newAccount("Olga", accounts.Owner), s.newAccount("Ada", accounts.Member), s.newAccount("Bob", accounts.Member)
	direct := s.newRoom(ada, `{"kind":"direct","members":["`+bob.ID+`"]}`)
	room, deleted, former := s.newPrivateRoom(ada, bob), s.newPrivateRoom(owner, ada), s.newPrivateRoom(ada, owner)
	key := client.NewKey()
	for _, one := range []string{room, deleted, former, direct} {
		s.manage(ada, "POST", "/r/"+one+"/messages", `{"text":"hello","key":"`+key+`"}`, http.StatusCreated)
	}
	s.manage(ada, "DELETE", "/r/"+former+"/members/"+owner.ID, "", http.StatusOK)
	s.manage(owner, "DELETE", "/r/"+deleted, "", http.StatusNoContent)
	strangers := map[string]testUser{"a visitor": anonymous, "an account": s.newAccount("Eve", accounts.Member), "an owner": owner}
	if s.options.Mode == streams.Anyone {
		strangers["a guest"] = s.signIn("Gus")
	}
	for who, user := range strangers {
		for _, probe := range probes(key, bob.ID) {
			want := probe.send(s, user, "p"+strings.Repeat("a", 20))
			for what, one := range map[string]string{"a private room": room, "a deleted room": deleted, "a room that removed an owner": former} {
				if got := probe.send(s, user, one); got != want {
					t.Errorf("%s, %s: for %s the response is\n%s\nand for a room that never existed\n%s", who, probe.name, what, got, want)
				}
			}
			want = probe.send(s, user, "d"+strings.Repeat("a", 20))
			if got := probe.send(s, user, direct); got != want {
				t.Errorf("%s, %s: for a direct room the response is\n%s\nand for one that never existed\n%s", who, probe.name, got, want)
			}
		}
	}
	for where, public := range map[string]string{
		"the metrics": s.get("/metrics").body, "the home page": s.get("/", "Accept: text/html").body, "the rooms": s.get("/rooms").body, "the log": s.logs.String(),
	} {
		for _, one := range []string{room, deleted, former, direct} {
			if i := strings.Index(public, one); i >= 0 {
				t.Errorf("%s names a hidden room: %s", where, public[max(0, i-200):min(len(public), i+200)])
			}
		}
	}
}
