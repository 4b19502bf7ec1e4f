package fetch_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"burble/app/fetch"
)

const pageText = "<!doctype html><title>A page</title>"

func writePage(w http.ResponseWriter, contentType, body string) {
	w.Header().Set("Content-Type", contentType)
	fmt.Fprint(w, body)
}

func TestFetchPages(t *testing.T) {
	t.Parallel()
	s := startSite(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/", "/a path":
			writePage(w, "text/html", pageText)
		case "/charset":
			writePage(w, "text/html; charset=iso-8859-1", pageText)
		case "/xhtml":
			writePage(w, "application/xhtml+xml", pageText)
		case "/upper":
			writePage(w, "Text/HTML;charset=UTF-8", pageText)
		case "/bad-parameter":
			writePage(w, "text/html; charset", pageText)
		case "/redirect1", "/redirect2", "/redirect3":
			n, _ := strconv.Atoi(r.URL.Path[len("/redirect"):])
			http.Redirect(w, r, []string{"/", "/redirect1", "/redirect2"}[n-1], http.StatusFound)
		case "/absolute":
			http.Redirect(w, r, "//other.test:"+r.Host[strings.LastIndexByte(r.Host, ':')+1:]+"/", http.StatusMovedPermanently)
		case "/gzip":
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Content-Encoding", "gzip")
			zip := gzip.NewWriter(w)
			fmt.Fprint(zip, pageText)
			zip.Close()
		case "/query":
			writePage(w, "text/html", pageText+r.URL.RawQuery)
		}
	})
	s.ResolveTo("site.test", "127.0.0.1")
	s.ResolveTo("other.test", "127.0.0.1")
	s.ResolveTo("xn--bcher-kva.test", "127.0.0.1")
	tests := []struct{ address, wantPath string }{
		{s.URL("site.test", ""), ""},
		{s.URL("site.test", "/"), "/"},
		{s.URL("127.0.0.1", "/"), "/"},
		{s.URL("bücher.test", "/a%20path#fragment"), "/a path"},
		{s.URL("site.test", "/charset"), "/charset"},
		{s.URL("site.test", "/xhtml"), "/xhtml"},
		{s.URL("site.test", "/upper"), "/upper"},
		{s.URL("site.test", "/bad-parameter"), "/bad-parameter"},
		{s.URL("site.test", "/redirect3"), "/"},
		{s.URL("site.test", "/absolute"), "/"},
		{s.URL("site.test", "/gzip"), "/gzip"},
		{s.URL("site.test", "/query?a=b&c=%2F"), "/query"},
	}
	for _, test := range tests {
		page, err := s.client.Page(ctx, test.address)
		if err != nil {
			t.Errorf("%s: %v", test.address, err)
			continue
		}
		if !strings.HasPrefix(string(page.Body), pageText) || page.URL.Path != test.wantPath {
			t.Errorf("%s: got %q at %s, want a body that begins with %q, at the path %q", test.address, page.Body, page.URL, pageText, test.wantPath)
		}
	}
}

func TestUnsuitableResponses(t *testing.T) {
	t.Parallel()
	s := startSite(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/image":
			writePage(w, "image/png", pageText)
		case "/no-type":
			w.Header()["Content-Type"] = nil
			fmt.Fprint(w, pageText)
		case "/svg":
			writePage(w, "image/svg+xml", pageText)
		case "/404":
			w.WriteHeader(http.StatusNotFound)
		case "/204":
			w.WriteHeader(http.StatusNoContent)
		case "/401":
			w.Header().Set("WWW-Authenticate", "Basic")
			w.WriteHeader(http.StatusUnauthorized)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/4-redirects":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/long-redirect":
			http.Redirect(w, r, "/"+strings.Repeat("a", 3000), http.StatusFound)
		case "/long-header":
			w.Header().Set("Filler", strings.Repeat("a", 100<<10))
			writePage(w, "text/html", pageText)
		}
	})
	for _, path := range []string{"/image", "/no-type", "/svg", "/404", "/204", "/401", "/loop", "/4-redirects", "/long-redirect", "/long-header", "/" + strings.Repeat("a", 3000)} {
		if page, err := s.client.Page(ctx, s.URL("127.0.0.1", path)); err == nil {
			t.Errorf("%.20s: got %q, want an error", path, page.Body)
		} else if strings.Contains(err.Error(), s.Port) {
			t.Errorf("%.20s: the error contains the address: %v", path, err)
		}
	}
}

func TestAtMostThreeRedirects(t *testing.T) {
	t.Parallel()
	s := startSite(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) })
	if _, err := s.client.Page(ctx, s.URL("127.0.0.1", "/")); !errors.Is(err, fetch.ErrUnsuitable) {
		t.Errorf("got the error %v, want %v", err, fetch.ErrUnsuitable)
	}
	if len(s.Hosts()) != 4 {
		t.Errorf("%d requests arrived, want 4", len(s.Hosts()))
	}
}

func TestSizeIsBounded(t *testing.T) {
	t.Parallel()
	s := startSite(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/endless":
			w.Header().Set("Content-Type", "text/html")
			for r.Context().Err() == nil {
				if _, err := w.Write(bytes.Repeat([]byte("a"), 64<<10)); err != nil {
					return
				}
			}
		case "/bomb": // 1 KB that becomes 1 MB
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Content-Encoding", "gzip")
			zip := gzip.NewWriter(w)
			zip.Write(make([]byte, 1<<20))
			zip.Close()
		case "/lie":
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Content-Length", "1000000000000")
			w.Write(bytes.Repeat([]byte("a"), 2*fetch.PageSize))
		case "/picture":
			w.Header().Set("Content-Type", "image/png")
			w.Write(make([]byte, 1000))
		}
	})
	for _, path := range []string{"/endless", "/bomb", "/lie"} {
		page, err := s.client.Page(ctx, s.URL("127.0.0.1", path))
		if err != nil || len(page.Body) != fetch.PageSize {
			t.Errorf("%s: got %d bytes, error %v; want %d bytes", path, len(page.Body), err, fetch.PageSize)
		}
	}
	if file, err := s.client.File(ctx, s.URL("127.0.0.1", "/picture"), "image/jpeg, image/png", 1000); err != nil || len(file.Body) != 1000 {
		t.Errorf("a file as large as the limit: got %d bytes, error %v; want 1000 bytes", len(file.Body), err)
	}
	if _, err := s.client.File(ctx, s.URL("127.0.0.1", "/picture"), "image/png", 999); !errors.Is(err, fetch.ErrUnsuitable) {
		t.Errorf("a file above the limit: got the error %v, want %v", err, fetch.ErrUnsuitable)
	}
}

func TestTimeIsBounded(t *testing.T) {
	t.Parallel()
	s := startSite(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/drip" {
			w.Header().Set("Content-Type", "text/html")
			for r.Context().Err() == nil {
				w.Write([]byte("a"))
				w.(http.Flusher).Flush()
				select {
				case <-time.After(50 * time.Millisecond):
				case <-r.Context().Done():
				}
			}
		}
		<-r.Context().Done()
	})
	var running sync.WaitGroup
	for _, path := range []string{"/silent", "/drip"} {
		running.Go(func() {
			began := time.Now()
			if _, err := s.client.Page(ctx, s.URL("127.0.0.1", path)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: got the error %v, want %v", path, err, context.DeadlineExceeded)
			}
			if took := time.Since(began); took > patience/2 {
				t.Errorf("%s took %v, want at most %v", path, took, patience/2)
			}
		})
	}
	running.Wait()
}

func TestRequestsRevealLittle(t *testing.T) {
	t.Parallel()
	s := startSite(t, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/next?secret", http.StatusFound)
			return
		}
		writePage(w, "text/html", pageText)
	})
	for range 2 {
		if _, err := s.client.Page(ctx, s.URL("127.0.0.1", "/")); err != nil {
			t.Fatal(err)
		}
	}
	for _, header := range s.Headers() {
		for name := range header {
			switch name {
			case "User-Agent", "Accept", "Accept-Encoding", "Connection":
			default:
				t.Errorf("a request has the unexpected header %s: %s", name, header.Get(name))
			}
		}
		if header.Get("User-Agent") != "Burble test" {
			t.Errorf("User-Agent is %q, want the one from Options", header.Get("User-Agent"))
		}
	}
	if len(s.Headers()) != 4 {
		t.Errorf("%d requests arrived, want 4", len(s.Headers()))
	}
}

func TestConcurrentRequestsAreBounded(t *testing.T) {
	t.Parallel()
	// Until the first request times out, all requests that arrive are in progress. A later one may take its place.
	firstTimeout := time.Now().Add(3 * time.Second)
	var arrived atomic.Int32
	s := startSite(t, func(w http.ResponseWriter, r *http.Request) {
		if time.Now().Before(firstTimeout) {
			arrived.Add(1)
		}
		<-r.Context().Done()
	})
	var running sync.WaitGroup
	for range 30 {
		running.Go(func() { s.client.Page(ctx, s.URL("127.0.0.1", "/")) })
	}
	running.Wait()
	if n := arrived.Load(); n == 0 || n > 8 {
		t.Errorf("%d requests at the same time, want 1 to 8", n)
	}
}
