package web

import (
	"strings"
	"testing"

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
