package blobs_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"burble/app/blobs"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// The helpers of these tests:
//
//	run(t, body)              runs the body on a directory, on gofakes3 and on versitygw
//	startS3(t)                a bucket in versitygw, a real S3 server in a process of its own
//	noise(size)               a reader of random bytes, and their hash
//	readAll(t, store, hash)

var ctx = context.Background()

const bucket = "burble-test"

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
	return openS3(t, server.URL)
}

// findVersity returns the path of versitygw. It builds the program if necessary, which takes a minute or two.
var findVersity = sync.OnceValues(func() (string, error) {
	if path, err := exec.LookPath("versitygw"); err == nil {
		return path, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(cache, "burble-test")
	command := exec.Command("go", "install", "github.com/versity/versitygw/cmd/versitygw@v1.8.0")
	command.Env = append(os.Environ(), "GOBIN="+folder, "GOFLAGS=")
	if output, err := command.CombinedOutput(); err != nil {
		return "", &exec.Error{Name: string(output), Err: err}
	}
	return filepath.Join(folder, "versitygw"), nil
})

func startS3(t testing.TB) *blobs.S3 {
	t.Helper()
	if testing.Short() {
		t.Skip("no real S3 server with -short")
	}
	program, err := findVersity()
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal("cannot build versitygw, and CI must not skip this test: ", err)
	}
	if err != nil {
		t.Skip("cannot build versitygw: ", err)
	}
	address := freeAddress(t)
	command := exec.Command(program, "--port", address, "--access", "key", "--secret", "secret", "--quiet", "posix", t.TempDir())
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { command.Process.Kill(); command.Wait() })
	return openS3(t, "http://"+address)
}

func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// openS3 waits until the server answers, and creates the bucket.
func openS3(t testing.TB, endpoint string) *blobs.S3 {
	t.Helper()
	client, err := minio.New(endpoint[len("http://"):], &minio.Options{Creds: credentials.NewStaticV4("key", "secret", ""), Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if err = client.MakeBucket(ctx, bucket, minio.MakeBucketOptions{}); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	store, err := blobs.OpenS3(blobs.S3Options{Endpoint: endpoint, Bucket: bucket, KeyID: "key", Secret: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	return store
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
		t.Errorf("read %d bytes of an object of %d", len(data), object.Size())
	}
	return data
}
