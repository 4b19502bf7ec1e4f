package blobs_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"burble/app/blobs"
	"burble/app/blobs/blobtest"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// The helpers of these tests:
//
//	run(t, body)              runs the body on a directory, on gofakes3 and on versitygw
//	startS3(t)                a bucket in versitygw, a real S3 server in a process of its own
//	noise(size)               a reader of random bytes, and their hash
//	readAll(t, store, hash)

var ctx = context.Background()

func run(t *testing.T, body func(t *testing.T, store blobs.Store)) {
	t.Run("directory", func(t *testing.T) { t.Parallel(); body(t, openDirectory(t)) })
	t.Run("gofakes3", func(t *testing.T) { t.Parallel(); body(t, startFakeS3(t)) })
	t.Run("versitygw", func(t *testing.T) { t.Parallel(); body(t, startS3(t)) })
}

func openDirectory(t testing.TB) *blobs.Directory {
	t.Helper()
	store, err := blobs.OpenDirectory(filepath.Join(t.TempDir(), "files"))
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func startFakeS3(t testing.TB) *blobs.S3 {
	t.Helper()
	server := httptest.NewServer(gofakes3.New(s3mem.New()).Server())
	t.Cleanup(server.Close)
	return blobtest.Open(t, blobtest.CreateBucket(t, server.URL))
}

func startS3(t testing.TB) *blobs.S3 {
	t.Helper()
	return blobtest.Open(t, blobtest.Start(t))
}

// noise returns random bytes without keeping them in memory.
func noise(size int64) (body io.Reader, hash string) {
	seed := [32]byte{byte(size)}
	sum := sha256.New()
	io.Copy(sum, io.LimitReader(rand.NewChaCha8(seed), size))
	return io.LimitReader(rand.NewChaCha8(seed), size), hex.EncodeToString(sum.Sum(nil))
}

func readAll(t *testing.T, store blobs.Store, hash string) []byte {
	t.Helper()
	object, err := store.Open(ctx, hash)
	if err != nil {
		t.Fatal(err)
	}
	defer object.Close()
	data, err := io.ReadAll(object)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(data)) != object.Size() {
		t.Errorf("read %d bytes of an object, want its size %d", len(data), object.Size())
	}
	return data
}
