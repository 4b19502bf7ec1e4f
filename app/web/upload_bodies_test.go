package web

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"burble/app/accounts"
	"burble/app/protocol"
	"burble/app/uploads"
	"burble/streams/redistest"
)

// uploadHeader returns the header of an upload. more are further fields, each with its line end.
func uploadHeader(user testUser, more ...string) string {
	return "POST /r/lobby/files?name=x HTTP/1.1\r\nHost: x\r\n" + user.bearer() + "\r\n" + strings.Join(more, "") + "\r\n"
}

func length(content string) string { return fmt.Sprintf("Content-Length: %d\r\n", len(content)) }

const nextRequest = "GET /rooms HTTP/1.1\r\nHost: x\r\n\r\n"

// The server must agree with every proxy about where the body of an upload ends, whether or not it reads that body.
func TestUploadBodiesAreNotParsedAsRequests(t *testing.T) {
	t.Parallel()
	s := startOne(t, withFiles(t))
	ada := s.signIn("Ada")
	tricky := "a\r\n\r\n" + nextRequest + "\r\n\r\n"
	for name, test := range map[string]struct {
		raw      string
		statuses []int
		isClosed bool
	}{
		"an upload":                      {uploadHeader(ada, length("hello")) + "hello", []int{201, 404}, false},
		"an upload and a request":        {uploadHeader(ada, length("hello")) + "hello" + nextRequest, []int{201, 200, 404}, false},
		"a request and an upload":        {nextRequest + uploadHeader(ada, length(tricky)) + tricky, []int{200, 201, 404}, false},
		"two uploads":                    {uploadHeader(ada, length(tricky)) + tricky + uploadHeader(ada, length(tricky)) + tricky, []int{201, 201, 404}, false},
		"a request in the body":          {uploadHeader(ada, length(tricky)) + tricky + nextRequest, []int{201, 200, 404}, false},
		"not read, no user":              {uploadHeader(testUser{Token: "x"}, length(tricky)) + tricky, []int{403}, true},
		"not read, another room":         {strings.Replace(uploadHeader(ada, length(tricky)), "lobby", "paaaaaaaaaaaaaaaaaaaa", 1) + tricky, []int{404}, true},
		"not read, a form":               {uploadHeader(ada, length(tricky), "Content-Type: multipart/form-data\r\n") + tricky, []int{415}, true},
		"not read, a bad parameter":      {strings.Replace(uploadHeader(ada, length(tricky)), "name=", "nome=", 1) + tricky, []int{400}, true},
		"not read, another host":         {strings.Replace(uploadHeader(ada, length(tricky)), "Host: x", "Host: evil.example", 1) + tricky, []int{421}, true},
		"read in part":                   {uploadHeader(ada, length("\x89PNG\r\n\x1a\n"+tricky+strings.Repeat("x", maxPicture))) + "\x89PNG\r\n\x1a\n" + tricky + strings.Repeat("x", maxPicture), []int{413}, true},
		"empty":                          {uploadHeader(ada, length("")) + nextRequest, []int{400, 200, 404}, false},
		"no length":                      {uploadHeader(ada) + nextRequest, []int{411}, true},
		"chunked":                        {uploadHeader(ada, "Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n0\r\n\r\n" + nextRequest, []int{411}, true},
		"chunked, with a length":         {uploadHeader(ada, length("hello"), "Transfer-Encoding: chunked\r\n") + "hello" + nextRequest, []int{400}, true},
		"two lengths":                    {uploadHeader(ada, length("hello"), length("hello")) + "hello" + nextRequest, []int{400}, true},
		"two different lengths":          {uploadHeader(ada, length("hello"), length("")) + "hello" + nextRequest, []int{400}, true},
		"a length with a sign":           {uploadHeader(ada, "Content-Length: +5\r\n") + "hello" + nextRequest, []int{400}, true},
		"a huge length":                  {uploadHeader(ada, "Content-Length: 99999999999999999999\r\n") + "hello" + nextRequest, []int{400}, true},
		"line feeds":                     {strings.ReplaceAll(uploadHeader(ada, length(tricky)), "\r\n", "\n") + tricky, []int{400}, true},
		"a line feed at the end":         {strings.TrimSuffix(uploadHeader(ada, length(tricky)), "\r\n\r\n") + "\n\r\n" + tricky, []int{400}, true},
		"a line feed in the middle":      {strings.Replace(uploadHeader(ada, length(tricky)), "Host: x\r\n", "Host: x\n", 1) + tricky, []int{400}, true},
		"only a line feed at the end":    {strings.TrimSuffix(uploadHeader(ada, length(tricky)), "\r\n") + "\n" + tricky, []int{400}, true},
		"an absolute URL":                {strings.Replace(uploadHeader(ada, length(tricky)), "/r/", "http://x/r/", 1) + tricky + nextRequest, []int{201, 200, 404}, false},
		"an escaped path":                {strings.Replace(uploadHeader(ada, length(tricky)), "lobby/files", "l%6Fbby/f%69les", 1) + tricky + nextRequest, []int{201, 200, 404}, false},
		"HTTP/1.0":                       {strings.Replace(uploadHeader(ada, length(tricky), "Connection: keep-alive\r\n"), "HTTP/1.1", "HTTP/1.0", 1) + tricky + nextRequest, []int{201, 200, 404}, false},
		"a client that waits":            {uploadHeader(ada, length(tricky), "Expect: 100-continue\r\n") + tricky + nextRequest, []int{100, 201, 200, 404}, false},
		"a client that waits in vain":    {uploadHeader(testUser{Token: "x"}, length(tricky), "Expect: 100-continue\r\n"), []int{403}, true},
		"a client that waits, HTTP/1.0":  {strings.Replace(uploadHeader(ada, length("hello"), "Expect: 100-continue\r\n"), "HTTP/1.1", "HTTP/1.0", 1) + "hello", []int{201}, true},
		"another route with a file":      {strings.Replace(uploadHeader(ada, length("hello")), "/files", "/messages", 1) + "hello" + nextRequest, []int{400, 200, 404}, false},
		"another method":                 {strings.Replace(uploadHeader(ada, length("hello")), "POST", "PUT", 1) + "hello" + nextRequest, []int{405, 200, 404}, false},
		"a larger file on another route": {strings.Replace(uploadHeader(ada, length(strings.Repeat("x", protocol.MaxFrame+1))), "/files", "/messages", 1) + strings.Repeat("x", protocol.MaxFrame+1), []int{413}, true},
	} {
		t.Run(name, func(t *testing.T) {
			responses, isClosed := s.with(t).sendRaw(test.raw)
			var statuses []int
			for _, response := range responses {
				statuses = append(statuses, response.status)
			}
			if isClosed != test.isClosed || fmt.Sprint(statuses) != fmt.Sprint(test.statuses) {
				t.Errorf("statuses %v, closed: %v; want %v, %v", statuses, isClosed, test.statuses, test.isClosed)
			}
		})
	}
}

// The end of the header may be anywhere in what a read returns.
func TestUploadsArriveInPieces(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	s := startOne(t, withFiles(t))
	ada := s.signIn("Ada")
	const content = "a\r\n\r\nb"
	raw := uploadHeader(ada, length(content)) + content + nextRequest
	conn, err := net.Dial("tcp", s.host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	reader := bufio.NewReader(conn)
	for cut := range raw {
		for _, piece := range []string{raw[:cut], raw[cut:]} {
			io.WriteString(conn, piece)
			if len(piece)%2 == 1 {
				runtime.Gosched()
			}
		}
		for _, want := range []int{201, 200} {
			got, err := http.ReadResponse(reader, nil)
			if err != nil {
				t.Fatal(err)
			}
			if io.Copy(io.Discard, got.Body); got.StatusCode != want {
				t.Fatalf("cut at %d: status %d, want %d", cut, got.StatusCode, want)
			}
		}
	}
}

// An openUpload is an upload whose body has arrived in part.
type openUpload struct {
	net.Conn
	reader *bufio.Reader
}

// startUpload sends the header and a part of the body of an upload of 20 MB.
func (s *testServer) startUpload(user testUser, more ...string) openUpload {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.host)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	io.WriteString(conn, uploadHeader(user, append(more, fmt.Sprintf("Content-Length: %d\r\n", 20<<20))...))
	io.WriteString(conn, strings.Repeat("x", 10_000))
	return openUpload{conn, bufio.NewReader(conn)}
}

// status reads the response.
func (u openUpload) status(t *testing.T) int {
	t.Helper()
	got, err := http.ReadResponse(u.reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	return got.StatusCode
}

// reserved returns the total size in bytes of the uploads in progress and the stored objects.
func (s *testServer) reserved() string {
	return s.store.Conns().Retrying.Get(s.t.Context(), "{0}:files:bytes").Val()
}

func (s *testServer) awaitUploads(count int) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("there are %d uploads in progress", count), func() bool {
		return s.store.Conns().Retrying.HLen(s.t.Context(), "{0}:files:uploads").Val() == int64(count)
	})
}

func TestEndOfSessionEndsUploads(t *testing.T) {
	t.Parallel()
	s := startOne(t, withFiles(t))
	for name, end := range map[string]func(user testUser){
		"banned":     func(user testUser) { s.accounts.Ban(t.Context(), accounts.Operator, user.ID, "spam") },
		"signed out": func(user testUser) { s.accounts.SignOut(t.Context(), user.ID, user.ID) },
	} {
		t.Run(name, func(t *testing.T) {
			user := s.newAccount("Ada", accounts.Member)
			upload := s.with(t).startUpload(user)
			s.awaitUploads(1)
			end(user)
			if got := upload.status(t); got != http.StatusForbidden {
				t.Errorf("status %d, want 403", got)
			}
			s.awaitUploads(0)
			if got := s.reserved(); got != "0" {
				t.Errorf("%s bytes are reserved, want 0", got)
			}
		})
	}
}

func TestInterruptedUploadsGiveQuotaBack(t *testing.T) {
	t.Parallel()
	s := startOne(t, withFiles(t))
	upload := s.startUpload(s.signIn("Ada"))
	s.awaitUploads(1)
	if got := s.reserved(); got != fmt.Sprint(20<<20) {
		t.Errorf("%s bytes are reserved, want the size of the upload", got)
	}
	upload.Close()
	s.awaitUploads(0)
	if got := s.reserved(); got != "0" {
		t.Errorf("%s bytes are reserved, want 0", got)
	}
}

func TestConcurrentUploadsAreLimited(t *testing.T) {
	t.Parallel()
	s := startOne(t, withFiles(t), func(set *settings) { set.TrustedProxy = "forwarded" })
	ada := s.signIn("Ada")
	from := func(address string) string { return "X-Forwarded-For: " + address + "\r\nX-Forwarded-Proto: https\r\n" }
	var open []openUpload
	for range uploads.MaxUploads {
		open = append(open, s.startUpload(ada, from("192.0.2.1")))
	}
	s.awaitUploads(uploads.MaxUploads)
	upload := func() response {
		return s.request("POST", "/r/lobby/files", "x", ada.bearer(), "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https")
	}
	got := upload()
	if got.expectRefusal(t, 429, protocol.RateLimited, ""); got.header.Get("Retry-After") == "" {
		t.Error("the response has no Retry-After")
	}
	s.startUpload(ada, from("192.0.2.2"))
	s.awaitUploads(uploads.MaxUploads + 1)
	open[0].Close()
	s.awaitUploads(uploads.MaxUploads)
	// The handler frees its slot just after the upload's record is removed.
	eventually(t, "a slot is free", func() bool { return upload().status == http.StatusCreated })
	s.startUpload(ada, from("192.0.2.1"))
	s.awaitUploads(uploads.MaxUploads + 1)
	for i := range uploads.MaxAllUploads {
		s.startUpload(ada, from(fmt.Sprint("198.51.100.", i)))
	}
	s.awaitUploads(uploads.MaxAllUploads)
}

// A download of 25 MB allocates at most 2 MB in all.
func TestDownloadsNeedLittleMemory(t *testing.T) {
	s := startOne(t, withFiles(t))
	ada := s.signIn("Ada")
	path := "/f/lobby/" + s.sendFiles("lobby", ada, s.uploadTo("lobby", ada, "x", strings.Repeat("x", maxFile))) + "/0"
	read := make([]byte, 64<<10)
	allocated := allocations(func() {
		conn, err := net.Dial("tcp", s.host)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path)
		total := 0
		for {
			n, err := conn.Read(read)
			if total += n; err != nil {
				break
			}
		}
		if total < maxFile {
			t.Errorf("read %d bytes, want %d", total, maxFile)
		}
	})
	if t.Logf("%d bytes were allocated", allocated); allocated > 2<<20 {
		t.Errorf("%d bytes were allocated, want at most 2 MB", allocated)
	}
}

// An upload of 25 MB allocates at most 2 MB in all. The test measures the whole process, so it is not parallel.
func TestUploadsNeedLittleMemory(t *testing.T) {
	s := startOne(t, withFiles(t))
	ada := s.signIn("Ada")
	s.uploadTo("lobby", ada, "x", "warm up")
	conn, err := net.Dial("tcp", s.host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	part := []byte(strings.Repeat("x", 64<<10))
	reader := bufio.NewReader(conn)
	allocated := allocations(func() {
		io.WriteString(conn, uploadHeader(ada, fmt.Sprintf("Content-Length: %d\r\n", maxFile)))
		for range maxFile / len(part) {
			if _, err := conn.Write(part); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := http.ReadResponse(reader, nil); err != nil || got.StatusCode != http.StatusCreated {
			t.Errorf("got %+v, %v; want status 201", got, err)
		}
	})
	t.Logf("%d bytes were allocated for an upload of %d", allocated, maxFile)
	if allocated > 2<<20 {
		t.Errorf("%d bytes were allocated, want at most 2 MB", allocated)
	}
}
