package web

import (
	"cmp"
	"encoding/binary"
	"image/png"
	"strings"
	"testing"
	"time"

	"burble/views"
)

func TestStaticFilesAreCachedForever(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	types := map[string]string{"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml", "png": "image/png", "webmanifest": "application/manifest+json"}
	for _, name := range views.AssetNames() {
		got := s.get(views.StaticPath() + "/" + name)
		if got.status != 200 || got.header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %d, Cache-Control %q", name, got.status, got.header.Get("Cache-Control"))
		}
		if want := types[name[strings.LastIndex(name, ".")+1:]]; want == "" || !strings.HasPrefix(got.header.Get("Content-Type"), want) {
			t.Errorf("%s: Content-Type %q", name, got.header.Get("Content-Type"))
		}
		// http.Transport does not decompress a response if the request sets Accept-Encoding itself.
		compressed := s.get(views.StaticPath()+"/"+name, "Accept-Encoding: gzip")
		if compressed.header.Get("Content-Encoding") == "gzip" && len(compressed.body) >= len(got.body) {
			t.Errorf("%s: %d bytes, and %d with gzip", name, len(got.body), len(compressed.body))
		}
	}
	for _, path := range []string{"/nothing.js", "/js/", "/../views.go", "/js/%2e%2e/%2e%2e/views.go"} {
		got := s.get(views.StaticPath() + path)
		if got.status < 400 || strings.Contains(got.header.Get("Cache-Control"), "max-age") {
			t.Errorf("%s: %d, Cache-Control %q", path, got.status, got.header.Get("Cache-Control"))
		}
	}
}

func TestResponsesAreCompressedOnlyIfAccepted(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada := s.signIn("Ada")
	for _, room := range []string{"lobby", "a", "b", "c", "d", "e", "f", "g"} {
		s.post(ada, room, strings.Repeat("hello ", 100))
	}
	paths := []string{"/", "/r/lobby", "/r/lobby/messages", "/rooms", "/sw.js", views.StaticPath() + "/style.css"}
	for _, path := range paths {
		for accepted, want := range map[string]string{
			"gzip": "gzip", "gzip, deflate": "gzip", "x-gzip": "gzip", "gzip;q=0.5, identity": "gzip", "*": "*", "br, gzip": "*",
			"gzip;q=0": "", "gzip;q=0, br;q=0": "", "identity": "", "gzip;q=0.0, *;q=0": "", "deflate": "", "gzip;q=0, br;q=0, *": "",
		} {
			got := s.get(path, "Accept-Encoding: "+accepted)
			coding := got.header.Get("Content-Encoding")
			if got.status != 200 || coding != want && (want != "*" || coding == "") {
				t.Errorf("%s, Accept-Encoding %q: %d, Content-Encoding %q", path, accepted, got.status, coding)
			}
			if !strings.Contains(got.header.Get("Vary"), "Accept-Encoding") {
				t.Errorf("%s: Vary %q", path, got.header.Get("Vary"))
			}
		}
	}
	for _, path := range []string{"/", "/r/lobby", "/r/lobby/messages", "/rooms"} {
		if vary := s.get(path).header.Get("Vary"); vary != "Accept, Accept-Encoding, Cookie" {
			t.Errorf("%s: Vary %q", path, vary)
		}
	}
	for path, want := range map[string]string{"/nothing": "Accept, Cookie", "/r/lobby/search?q=": "Accept, Cookie"} {
		if vary := s.get(path, "Accept: text/html").header.Get("Vary"); vary != want {
			t.Errorf("%s: Vary %q", path, vary)
		}
	}
}

func TestUnchangedResponsesAreNotSentAgain(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada, bob := s.signIn("Ada"), s.signIn("Bob")
	s.post(ada, "lobby", "hello")
	cookie := "Cookie: burble=" + ada.Token
	pages := []string{"/", "/r/lobby", "/r/lobby/messages", "/rooms"}
	etags := map[string]string{}
	for _, path := range append(pages, "/sw.js", "/favicon.ico", views.StaticPath()+"/style.css") {
		first := s.get(path, cookie)
		etags[path] = first.header.Get("ETag")
		if first.status != 200 || etags[path] == "" {
			t.Fatalf("%s: %d, ETag %q", path, first.status, etags[path])
		}
		for _, encoding := range []string{"identity", "gzip", "br"} {
			again := s.get(path, cookie, "If-None-Match: "+etags[path], "Accept-Encoding: "+encoding)
			if again.status != 304 || again.body != "" || again.header.Get("ETag") != etags[path] || again.header.Get("Cache-Control") != first.header.Get("Cache-Control") ||
				again.header.Get("Vary") != first.header.Get("Vary") || again.header.Get("Content-Encoding") != "" {
				t.Errorf("%s, %s, unchanged: %d %v", path, encoding, again.status, again.header)
			}
		}
		if other := s.get(path, cookie, `If-None-Match: W/"other"`); other.status != 200 || other.body != first.body {
			t.Errorf("%s, another ETag: %d", path, other.status)
		}
	}
	for _, path := range []string{"/", "/r/lobby"} {
		if other := s.get(path, "Cookie: burble="+bob.Token, "If-None-Match: "+etags[path]); other.status != 200 {
			t.Errorf("%s for another user: %d", path, other.status)
		}
	}
	s.post(bob, "lobby", "news")
	for _, path := range pages {
		if changed := s.get(path, cookie, "If-None-Match: "+etags[path]); changed.status != 200 {
			t.Errorf("%s, changed: %d", path, changed.status)
		}
	}
	if failed := s.get("/nothing", "If-None-Match: *"); failed.status != 404 || failed.header.Get("ETag") != "" {
		t.Errorf("an error: %d, ETag %q", failed.status, failed.header.Get("ETag"))
	}
}

func TestWellKnownFiles(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	if got := s.get("/robots.txt"); got.status != 200 || !strings.HasPrefix(got.body, "User-agent: *\n") || !strings.HasPrefix(got.header.Get("Content-Type"), "text/plain") {
		t.Errorf("robots.txt: %d %v %s", got.status, got.header, got.body)
	}
	icon := s.get("/favicon.ico")
	if icon.status != 200 || icon.header.Get("Content-Type") != "image/x-icon" || !strings.HasPrefix(icon.body, "\x00\x00\x01\x00\x01\x00") {
		t.Errorf("favicon.ico: %d %v", icon.status, icon.header)
	}
	if size, offset := binary.LittleEndian.Uint32([]byte(icon.body[14:])), binary.LittleEndian.Uint32([]byte(icon.body[18:])); int(size+offset) != len(icon.body) {
		t.Errorf("favicon.ico: %d bytes at %d of %d", size, offset, len(icon.body))
	} else if _, err := png.Decode(strings.NewReader(icon.body[offset:])); err != nil {
		t.Error(err)
	}
	for _, contact := range []string{"", "mailto:security@example.org"} {
		s := startOne(t, func(set *settings) { set.SecurityContact = contact })
		got := s.get("/.well-known/security.txt")
		want := cmp.Or(contact, "http://"+s.host+"/")
		fields := map[string]string{}
		for line := range strings.Lines(got.body) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			fields[name] = value
		}
		expires, err := time.Parse(time.RFC3339, fields["Expires"])
		if got.status != 200 || fields["Contact"] != want || err != nil || time.Until(expires) < 24*time.Hour || time.Until(expires) > 365*24*time.Hour {
			t.Errorf("security.txt: %d %q, %v", got.status, fields, err)
		}
	}
}
