package web

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"burble/app/blobs"
	"burble/app/protocol"
	"burble/app/uploads"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// Safari plays a video only if the server sends the range bytes=0-1.
func TestRanges(t *testing.T) {
	t.Parallel()
	s := startOne(t, withFiles(t))
	ada := s.signIn("Ada")
	path := "/f/lobby/" + s.sendFiles("lobby", ada, s.uploadTo("lobby", ada, "digits", "0123456789")) + "/0"
	etag := s.get(path).header.Get("Etag")
	for field, want := range map[string]struct {
		status             int
		body, contentRange string
	}{
		"bytes=0-1":                          {206, "01", "bytes 0-1/10"},
		"bytes=0-":                           {206, "0123456789", "bytes 0-9/10"},
		"bytes=8-":                           {206, "89", "bytes 8-9/10"},
		"bytes=8-100":                        {206, "89", "bytes 8-9/10"},
		"bytes=-3":                           {206, "789", "bytes 7-9/10"},
		"bytes=-100":                         {206, "0123456789", "bytes 0-9/10"},
		"bytes=10-":                          {416, "", "bytes */10"},
		"bytes=-0":                           {416, "", "bytes */10"},
		"bytes=5-4":                          {200, "0123456789", ""},
		"bytes=-":                            {200, "0123456789", ""},
		"bytes=+1-2":                         {200, "0123456789", ""},
		"bytes=0-1,3-4":                      {200, "0123456789", ""},
		"lines=0-1":                          {200, "0123456789", ""},
		"bytes=9223372036854775808-":         {200, "0123456789", ""},
		"bytes=0-1\r\nIf-Range: " + etag:     {206, "01", "bytes 0-1/10"},
		"bytes=0-1\r\nIf-Range: \"another\"": {200, "0123456789", ""},
		"bytes=0-1\r\nIf-Range: Mon, 1 Jan 2024 1:0 GMT": {200, "0123456789", ""},
	} {
		field, condition, _ := strings.Cut(field, "\r\n")
		headers := []string{"Range: " + field}
		if condition != "" {
			headers = append(headers, condition)
		}
		got := s.get(path, headers...)
		if got.status != want.status || got.body != want.body || got.header.Get("Content-Range") != want.contentRange {
			t.Errorf("%s %s: status %d, body %q, Content-Range %q; want %+v", field, condition, got.status, got.body, got.header.Get("Content-Range"), want)
		}
	}
	if head := s.request("HEAD", path, "", "Range: bytes=0-1"); head.status != http.StatusOK || head.header.Get("Content-Length") != "10" { // RFC 9110, section 14.2
		t.Errorf("HEAD with a range: %d, %s bytes; want 200, 10", head.status, head.header.Get("Content-Length"))
	}
}

// startBucket starts an S3 server in this process, and returns a store in one of its buckets.
func startBucket(t testing.TB) blobs.Store {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("files"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	store, err := blobs.OpenS3(blobs.S3Options{Endpoint: server.URL, Bucket: "files", KeyID: "key", Secret: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestDownloadsFromABucket(t *testing.T) {
	t.Parallel()
	store := startBucket(t)
	s := startOne(t, func(set *settings) { set.Store = store })
	ada := s.signIn("Ada")
	photo := newPicture(t)
	path := "/f/lobby/" + s.sendFiles("lobby", ada, s.uploadTo("lobby", ada, "photo.png", photo), s.uploadTo("lobby", ada, "page.html", "<html>"))
	for name, test := range map[string]struct{ path, contentType, disposition string }{
		"a picture":          {"/0", "image/png", `inline; filename="photo.png"`},
		"a picture to save":  {"/0?download", "image/png", `attachment; filename="photo.png"`},
		"a thumbnail":        {"/0/thumbnail", "image/jpeg", `inline; filename="photo.png.jpg"`},
		"a page, for saving": {"/1", "application/octet-stream", `attachment; filename="page.html"`},
	} {
		got := s.get(path + test.path)
		location := got.header.Get("Location")
		if got.status != http.StatusFound || !strings.HasPrefix(location, store.Origin()+"/") || got.header.Get("Cache-Control") != "private, max-age=240" || got.body != "" && strings.Contains(got.body, "Signature") {
			t.Errorf("%s: got status %d and headers %v, want a redirect to the bucket", name, got.status, got.header)
			continue
		}
		object, err := http.Get(location)
		if err != nil {
			t.Fatal(err)
		}
		if object.Body.Close(); object.StatusCode != http.StatusOK || object.Header.Get("Content-Type") != test.contentType || object.Header.Get("Content-Disposition") != test.disposition {
			t.Errorf("%s, from the bucket: got status %d and headers %v, want 200, %q and %q", name, object.StatusCode, object.Header, test.contentType, test.disposition)
		}
	}
	if policy := s.get("/r/lobby", "Accept: text/html").header.Get("Content-Security-Policy"); !strings.Contains(policy, "img-src 'self' data: blob: "+store.Origin()+";") || !strings.Contains(policy, "media-src 'self' blob: "+store.Origin()+";") {
		t.Errorf("the Content-Security-Policy is %q, want it to allow pictures and media from the bucket", policy)
	}
	if logs := s.logs.String(); strings.Contains(logs, "Signature") || strings.Contains(logs, "X-Amz") {
		t.Error("the log contains a signed URL")
	}
}

func TestConcurrentDownloadsAreLimited(t *testing.T) {
	t.Parallel()
	s := startOne(t, withFiles(t))
	ada := s.signIn("Ada")
	path := "/f/lobby/" + s.sendFiles("lobby", ada, s.uploadTo("lobby", ada, "x", strings.Repeat("x", 20<<20))) + "/0"
	for range uploads.MaxDownloads {
		conn, err := net.Dial("tcp", s.host)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
		if _, err := conn.Read(make([]byte, 1)); err != nil { // the test does not read the rest
			t.Fatal(err)
		}
	}
	s.get(path).expectRefusal(t, 429, protocol.RateLimited, "")
}
