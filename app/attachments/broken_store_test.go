package attachments_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"burble/app/attachments"
	"burble/app/blobs"
	"burble/app/protocol"
	"burble/streams/redistest"
)

// A brokenStore returns errors from some of its methods.
type brokenStore struct {
	blobs.Store
	mu     sync.Mutex
	broken map[string]error
}

func (s *brokenStore) fails(method string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken[method]
}

func (s *brokenStore) set(broken map[string]error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = broken
}

func (s *brokenStore) Put(ctx context.Context, body io.Reader, limit int64) (blobs.Blob, error) {
	if err := s.fails("Put"); err != nil {
		return blobs.Blob{}, err
	}
	return s.Store.Put(ctx, body, limit)
}

func (s *brokenStore) Exists(ctx context.Context, hash string) (bool, error) {
	if err := s.fails("Exists"); err != nil {
		return false, err
	}
	return s.Store.Exists(ctx, hash)
}

func (s *brokenStore) Open(ctx context.Context, hash string) (blobs.Object, error) {
	if err := s.fails("Open"); err != nil {
		return nil, err
	}
	return s.Store.Open(ctx, hash)
}

func (s *brokenStore) Delete(ctx context.Context, hash string) error {
	if err := s.fails("Delete"); err != nil {
		return err
	}
	return s.Store.Delete(ctx, hash)
}

func TestBrokenStore(t *testing.T) {
	t.Parallel()
	away, full := errors.New("500 Internal Server Error"), fmt.Errorf("write: %w", syscall.ENOSPC)
	for name, test := range map[string]struct {
		broken map[string]error
		code   protocol.Code
	}{
		"an unavailable store":        {map[string]error{"Put": away, "Exists": away, "Open": away, "Delete": away}, protocol.Unavailable},
		"a store that refuses writes": {map[string]error{"Put": away, "Delete": away}, protocol.Unavailable},
		"a full disk":                 {map[string]error{"Put": full}, protocol.Full},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &brokenStore{Store: openDirectory(t, t.TempDir()), broken: test.broken}
			f := start(t, redistest.Single(t), store)
			_, err := f.Upload(ctx, request(picture(1)))
			if got := attachments.AsError(err); err == nil || got.Code != test.code || got.Code == protocol.Unavailable && got.RetryAfter == 0 {
				t.Errorf("%v (%+v), want %s", err, got, test.code)
			}
			store.set(nil)
			message := f.send(f.upload(picture(1)))
			f.clean()
			f.expectNoLostObject()
			store.set(test.broken)
			f.delete(message)
			f.makeDue()
			f.CheckAll()
			f.RemoveSome(ctx)
			store.set(nil)
			f.clean()
			f.expectEmpty()
		})
	}
}

// If the bucket refuses all requests, uploads fail promptly, and the logged cause contains no secrets.
func TestBucketRefusesRequests(t *testing.T) {
	t.Parallel()
	for status, code := range map[int]string{500: "InternalError", 503: "SlowDown", 403: "AccessDenied", 404: "NoSuchBucket"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", "application/xml")
				w.WriteHeader(status)
				fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no</Message></Error>", code)
			}))
			defer server.Close()
			store, err := blobs.OpenS3(blobs.S3Options{Endpoint: server.URL, Bucket: "files", KeyID: "key", Secret: "hush-hush"})
			if err != nil {
				t.Fatal(err)
			}
			f := start(t, redistest.Single(t), store)
			began := time.Now()
			_, err = f.Upload(ctx, request(picture(1)))
			got := attachments.AsError(err)
			if err == nil || got.Code != protocol.Unavailable || got.RetryAfter == 0 || strings.Contains(fmt.Sprint(err, got.Cause), "hush-hush") {
				t.Errorf("%v (%v), want unavailable", err, got)
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("Upload took %v to return the error, want at most 30 seconds", took)
			} else {
				t.Logf("after %v: %v", took, got.Cause)
			}
			if err := f.Check(ctx); err == nil {
				t.Error("Check succeeded although the store refuses every request")
			}
		})
	}
}
