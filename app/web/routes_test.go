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
			t.Errorf("%s: status %d, Cache-Control %q; want 200 and a year", name, got.status, got.header.Get("Cache-Control"))
		}
		if want := types[name[strings.LastIndex(name, ".")+1:]]; want == "" || !strings.HasPrefix(got.header.Get("Content-Type"), want) {
			t.Errorf("%s: Content-Type = %q, want %q", name, got.header.Get("Content-Type"), want)
		}
		// http.Transport does not decompress a response if the request sets Accept-Encoding itself.
		compressed := s.get(views.StaticPath()+"/"+name, "Accept-Encoding: gzip")
		if compressed.header.Get("Content-Encoding") == "gzip" && len(compressed.body) >= len(got.body) {
			t.Errorf("%s: gzip has %d bytes, want fewer than %d", name, len(compressed.body), len(got.body))
		}
	}
	for _, path := range []string{"/nothing.js", "/js/", "/../views.go", "/js/%2e%2e/%2e%2e/views.go"} {
		got := s.get(views.StaticPath() + path)
		if got.status < 400 || strings.Contains(got.header.Get("Cache-Control"), "max-age") {
			t.Errorf("%s: status %d, Cache-Control %q; want an error that is not cached", path, got.status, got.header.Get("Cache-Control"))
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
				t.Errorf("%s, Accept-Encoding %q: status %d, Content-Encoding %q; want 200 and %q", path, accepted, got.status, coding, want)
			}
			if !strings.Contains(got.header.Get("Vary"), "Accept-Encoding") {
				t.Errorf("%s: Vary = %q, want Accept-Encoding", path, got.header.Get("Vary"))
			}
		}
	}
	for _, path := range []string{"/", "/r/lobby", "/r/lobby/messages", "/rooms"} {
		if vary := s.get(path).header.Get("Vary"); vary != "Accept, Accept-Encoding, Cookie" {
			t.Errorf("%s: Vary = %q, want Accept, Accept-Encoding, Cookie", path, vary)
		}
	}
	for path, want := range map[string]string{"/nothing": "Accept, Cookie", "/r/lobby/search?q=": "Accept, Cookie"} {
		if vary := s.get(path, "Accept: text/html").header.Get("Vary"); vary != want {
			t.Errorf("%s: Vary = %q, want %q", path, vary, want)
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
			t.Fatalf("%s: status %d, ETag %q; want 200 and an ETag", path, first.status, etags[path])
		}
		for _, encoding := range []string{"identity", "gzip", "br"} {
			revalidated := s.get(path, cookie, "If-None-Match: "+etags[path], "Accept-Encoding: "+encoding)
			if revalidated.status != 304 || revalidated.body != "" || revalidated.header.Get("ETag") != etags[path] || revalidated.header.Get("Cache-Control") != first.header.Get("Cache-Control") ||
				revalidated.header.Get("Vary") != first.header.Get("Vary") || revalidated.header.Get("Content-Encoding") != "" {
				t.Errorf("%s, %s, unchanged: status %d, headers %v; want 304 with the headers of the first response", path, encoding, revalidated.status, revalidated.header)
			}
		}
		if other := s.get(path, cookie, `If-None-Match: W/"other"`); other.status != 200 || other.body != first.body {
			t.Errorf("%s, a different ETag: status %d, want 200 and the same body", path, other.status)
		}
	}
	for _, path := range []string{"/", "/r/lobby"} {
		if other := s.get(path, "Cookie: burble="+bob.Token, "If-None-Match: "+etags[path]); other.status != 200 {
			t.Errorf("%s for another user: status %d, want 200", path, other.status)
		}
	}
	s.post(bob, "lobby", "news")
	for _, path := range pages {
		if changed := s.get(path, cookie, "If-None-Match: "+etags[path]); changed.status != 200 {
			t.Errorf("%s, changed: status %d, want 200", path, changed.status)
		}
	}
	if failed := s.get("/nothing", "If-None-Match: *"); failed.status != 404 || failed.header.Get("ETag") != "" {
		t.Errorf("an error: status %d, ETag %q; want 404 and no ETag", failed.status, failed.header.Get("ETag"))
	}
}

func TestWellKnownFiles(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	if got := s.get("/robots.txt"); got.status != 200 || !strings.HasPrefix(got.body, "User-agent: *\n") || !strings.HasPrefix(got.header.Get("Content-Type"), "text/plain") {
		t.Errorf("robots.txt: status %d, headers %v, want 200 and text/plain: %s", got.status, got.header, got.body)
	}
	icon := s.get("/favicon.ico")
	if icon.status != 200 || icon.header.Get("Content-Type") != "image/x-icon" || !strings.HasPrefix(icon.body, "\x00\x00\x01\x00\x01\x00") {
		t.Errorf("favicon.ico: status %d, headers %v; want 200 and an icon", icon.status, icon.header)
	}
	if size, offset := binary.LittleEndian.Uint32([]byte(icon.body[14:])), binary.LittleEndian.Uint32([]byte(icon.body[18:])); int(size+offset) != len(icon.body) {
		t.Errorf("favicon.ico: image of %d bytes at offset %d, want it to end at %d", size, offset, len(icon.body))
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
			t.Errorf("security.txt: status %d, fields %q, %v; want 200, contact %s, and an expiry within a year", got.status, fields, err, want)
		}
	}
}
