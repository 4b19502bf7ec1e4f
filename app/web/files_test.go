package web

import (
	"bytes"
	"fmt"
	"html"
	"image"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"burble/app/accounts"
	"burble/app/blobs"
	"burble/app/client"
	"burble/app/protocol"
	"burble/streams"
	"burble/streams/redistest"
)

// withFiles makes a server store files in a directory.
func withFiles(t testing.TB) func(*settings) {
	t.Helper()
	store, err := blobs.OpenDirectory(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return func(set *settings) { set.Store = store }
}

// uploaded is the response to an upload.
type uploaded struct {
	ID, Name, Type, Color string
	Size                  int64
	Width, Height         int
}

// uploadTo uploads a file to the room.
func (s *testServer) uploadTo(room string, user testUser, name, content string) (file uploaded) {
	s.t.Helper()
	got := s.request("POST", "/r/"+room+"/files?name="+name, content, user.bearer())
	if got.status != http.StatusCreated {
		s.t.Fatalf("upload: got status %d, want 201: %s", got.status, got.body)
	}
	got.decode(s.t, &file)
	return file
}

// sendFiles sends a message with files, and returns its ID.
func (s *testServer) sendFiles(room string, user testUser, files ...uploaded) string {
	s.t.Helper()
	entry := streams.Entry{Kind: streams.Message, Key: client.NewKey()}
	for _, file := range files {
		entry.Files = append(entry.Files, streams.File{ID: file.ID})
	}
	author := streams.User{ID: user.ID, Name: user.Name}
	as := s.store.As(author)
	if accounts.IsToken(user.Token) {
		as = s.store.AsRanked(author, streams.Account)
	}
	stored, err := as.Append(s.t.Context(), room, entry)
	if err != nil {
		s.t.Fatal(err)
	}
	return stored.Cursor.ID.String()
}

// newPicture returns a PNG that is just wide enough for a thumbnail.
func newPicture(t testing.TB) string {
	t.Helper()
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, image.NewGray(image.Rect(0, 0, 700, 7))); err != nil {
		t.Fatal(err)
	}
	return encoded.String()
}

func TestUploadAndDownload(t *testing.T) {
	t.Parallel()
	s := startOne(t, withFiles(t))
	ada := s.signIn("Ada")
	photo := s.uploadTo("lobby", ada, "holiday.jpg", newPicture(t))
	if photo.Name != "holiday.jpg.png" || photo.Type != "image/png" || photo.Width != 700 || photo.Height != 7 || photo.Color != "#000000" || photo.ID == "" {
		t.Errorf("got %+v, want a PNG of 700 x 7 pixels", photo)
	}
	page := s.uploadTo("lobby", ada, "..%2Fpage.html", "<!doctype html><script>alert(1)</script>")
	if page.Name != "page.html" || page.Width != 0 || page.Size != 40 {
		t.Errorf("got %+v, want page.html of 40 bytes", page)
	}
	path := "/f/lobby/" + s.sendFiles("lobby", ada, photo, page)
	for _, test := range []struct {
		path          string
		status        int
		contentType   string
		disposition   string
		contentLength int64
	}{
		{path: "/0", status: 200, contentType: "image/png", disposition: `inline; filename="holiday.jpg.png"`, contentLength: photo.Size},
		{path: "/0?download", status: 200, contentType: "image/png", disposition: `attachment; filename="holiday.jpg.png"`, contentLength: photo.Size},
		{path: "/1", status: 200, contentType: "application/octet-stream", disposition: `attachment; filename="page.html"`, contentLength: 40},
		{path: "/1/thumbnail", status: 200, contentType: "application/octet-stream", disposition: `attachment; filename="page.html"`, contentLength: 40},
	} {
		got := s.get(path + test.path)
		if got.status != test.status || got.header.Get("Content-Type") != test.contentType || got.header.Get("Content-Disposition") != test.disposition || int64(len(got.body)) != test.contentLength {
			t.Errorf("%s: got status %d, %d bytes and headers %v, want status %d and %d bytes", test.path, got.status, len(got.body), got.header, test.status, test.contentLength)
		}
		for name, value := range map[string]string{
			"Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin",
			"Cache-Control": "private, max-age=300", "Accept-Ranges": "bytes",
		} {
			if got.header.Get(name) != value {
				t.Errorf("%s: %s is %q, want %q", test.path, name, got.header.Get(name), value)
			}
		}
		head := s.request("HEAD", path+test.path, "")
		if head.status != 200 || head.body != "" || head.header.Get("Content-Length") != fmt.Sprint(test.contentLength) || head.header.Get("Etag") != got.header.Get("Etag") {
			t.Errorf("HEAD %s: got status %d and headers %v, want those of GET without a body", test.path, head.status, head.header)
		}
		if cached := s.get(path+test.path, "If-None-Match: W/"+got.header.Get("Etag")); cached.status != http.StatusNotModified || cached.body != "" {
			t.Errorf("%s with If-None-Match: got status %d and body %q, want 304 without a body", test.path, cached.status, cached.body)
		}
	}
	if small := s.get(path + "/0/thumbnail"); small.status != 200 || !strings.HasPrefix(small.header.Get("Content-Type"), "image/") || small.body == s.get(path+"/0").body {
		t.Errorf("thumbnail: got status %d and headers %v, want a smaller picture", small.status, small.header)
	}
	for _, missing := range []string{"/2", "/00", "/-1", "/x", "/256", "/preview", "/2/thumbnail"} {
		s.get(path+missing).expectRefusal(t, 404, protocol.NotFound, "")
	}
	s.get("/f/lobby/0-1/0").expectRefusal(t, 404, protocol.NotFound, "")
	s.get("/f/lobby/x/0").expectRefusal(t, 404, protocol.NotFound, "")
	s.get(path+"/0?size=1").expectRefusal(t, 400, protocol.BadField, "size")
}

func TestRefusedUploads(t *testing.T) {
	t.Parallel()
	s := startOne(t, withFiles(t), func(set *settings) { set.FilesPerDay = 12 << 20 })
	ada := s.signIn("Ada")
	for name, test := range map[string]struct {
		path, body string
		headers    []string
		status     int
		code       protocol.Code
		field      string
	}{
		"no name":           {"/r/lobby/files", "x", []string{"Authorization: "}, 403, protocol.NotAllowed, ""},
		"empty":             {"/r/lobby/files", "", nil, 400, protocol.BadField, "file"},
		"a bad room":        {"/r/Lobby/files", "x", nil, 400, protocol.BadRoom, "room"},
		"a bad parameter":   {"/r/lobby/files?nam=x", "x", nil, 400, protocol.BadField, "nam"},
		"an empty name":     {"/r/lobby/files?name=", "x", nil, 400, protocol.BadField, "name"},
		"a damaged picture": {"/r/lobby/files", newPicture(t)[:50], nil, 400, protocol.BadField, "file"},
		"a form":            {"/r/lobby/files", "x", []string{"Content-Type: multipart/form-data; boundary=x"}, 415, protocol.BadField, "Content-Type"},
		"a compressed file": {"/r/lobby/files", "x", []string{"Content-Encoding: gzip"}, 415, protocol.BadField, "Content-Encoding"},
		"too large":         {"/r/lobby/files", strings.Repeat("x", maxFile+1), nil, 413, protocol.TooLarge, "file"},
		"a large picture":   {"/r/lobby/files", newPicture(t) + strings.Repeat("x", maxPicture), nil, 413, protocol.TooLarge, "file"},
		"too much today":    {"/r/lobby/files", strings.Repeat("x", 13<<20), nil, 507, protocol.Full, ""},
		"another site":      {"/r/lobby/files", "x", []string{"Origin: https://evil.example"}, 403, protocol.NotAllowed, "origin"},
	} {
		headers := test.headers
		if name != "no name" {
			headers = append([]string{ada.bearer()}, headers...)
		} else {
			headers = nil
		}
		s.request("POST", test.path, test.body, headers...).expectRefusal(t, test.status, test.code, test.field)
	}
	s.uploadTo("lobby", ada, "x", "a client can go on")
}

// Without a store, the server has no routes for files, and its pages do not offer to upload files.
func TestFilesAreOffWithoutAStore(t *testing.T) {
	t.Parallel()
	s, with := startOne(t), startOne(t, withFiles(t))
	ada := s.signIn("Ada")
	const unknown = "/r/lobby/no-such-thing/x"
	for _, request := range [][2]string{
		{"POST", "/r/lobby/files"}, {"POST", "/r/lobby/files?name=x"}, {"GET", "/f/lobby/1-0/0"}, {"HEAD", "/f/lobby/1-0/0"}, {"GET", "/f/lobby/1-0/0/thumbnail"}, {"GET", "/f/lobby/1-0/preview"},
	} {
		got, want := s.request(request[0], request[1], "x", ada.bearer()), s.request(request[0], unknown, "x", ada.bearer())
		got.header.Del("Date")
		want.header.Del("Date")
		if request[0] == "POST" {
			if got.status != 404 && got.status != 405 { // 405 if a GET route matches the path
				t.Errorf("%v: got status %d, want 404 or 405", request, got.status)
			}
			continue
		}
		if describe(got, "-") != describe(want, "-") {
			t.Errorf("%v: got %s, want %s", request, describe(got, "-"), describe(want, "-"))
		}
	}
	if large := s.request("POST", "/r/lobby/files", strings.Repeat("x", protocol.MaxFrame+1), ada.bearer()); large.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body: %d, want 413", large.status)
	}
	limits := fmt.Sprintf(`{"picture":%d,"file":%d,"count":10}`, maxPicture, maxFile)
	for server, want := range map[*testServer]bool{s: false, with: true} {
		page := server.get("/r/lobby", "Accept: text/html")
		if got := strings.Contains(html.UnescapeString(page.body), limits); got != want {
			t.Errorf("the page has the limits of files: %v, want %v", got, want)
		}
		if got := strings.Contains(page.header.Get("Content-Security-Policy"), "media-src"); got != want {
			t.Errorf("the Content-Security-Policy is %q, want media-src only if files are on", page.header.Get("Content-Security-Policy"))
		}
	}
}

func TestFilesOfHiddenRooms(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	s := startOne(t, withFiles(t))
	owner, ada, bob := s.newAccount("Olga", accounts.Owner), s.newAccount("Ada", accounts.Member), s.newAccount("Bob", accounts.Member)
	room, deleted := s.newPrivateRoom(ada, bob), s.newPrivateRoom(owner, ada, bob)
	messages := make(map[string]string)
	for _, one := range []string{room, deleted} {
		messages[one] = s.sendFiles(one, ada, s.uploadTo(one, ada, "photo.png", newPicture(t)))
	}
	s.manage(owner, "DELETE", "/r/"+deleted, "", http.StatusNoContent)
	never := "p" + strings.Repeat("a", 20)
	etag := s.get("/f/"+room+"/"+messages[room]+"/0", bob.bearer()).header.Get("Etag")
	if etag == "" {
		t.Fatal("a member cannot read the file")
	}
	expectHidden := func(who string, user testUser, room string) {
		t.Helper()
		for _, path := range []string{"/0", "/1", "/x", "/0/thumbnail", "/preview", "/0?download", "/0?x=1"} {
			for _, header := range []string{"Accept: */*", "Accept: text/html", "Range: bytes=0-1", "If-None-Match: *", "If-None-Match: " + etag, "If-Range: " + etag} {
				for _, method := range []string{"GET", "HEAD"} {
					probe := httpProbe(method, "/f/ROOM/"+messages[room]+path, "", header)
					if got, want := probe.send(s, user, room), probe.send(s, user, never); got != want {
						t.Errorf("%s, %s: the response is\n%s\nand for a room that never existed\n%s", who, probe.name, got, want)
					}
				}
			}
		}
		for _, body := range []string{"x", strings.Repeat("x", 100_000), newPicture(t)} {
			probe := httpProbe("POST", "/r/ROOM/files?name=x", body, "Content-Type: text/plain")
			if got, want := probe.send(s, user, room), probe.send(s, user, never); got != want {
				t.Errorf("%s, upload: the response is\n%s\nand for a room that never existed\n%s", who, got, want)
			}
		}
	}
	for who, user := range map[string]testUser{"a visitor": anonymous, "a guest": s.signIn("Gus"), "an account": s.newAccount("Eve", accounts.Member), "an owner": owner} {
		expectHidden(who, user, room)
	}
	expectHidden("a member of a deleted room", ada, deleted)
	s.manage(ada, "DELETE", "/r/"+room+"/members/"+bob.ID, "", http.StatusOK)
	expectHidden("a removed member", bob, room)
	if log := s.logs.String(); strings.Contains(log, room) {
		t.Error("the log names a hidden room")
	}
}
