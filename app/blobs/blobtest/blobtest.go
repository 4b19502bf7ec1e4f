// Package blobtest starts versitygw, a real S3 server, for tests.
//
//	store := blobtest.Open(t, blobtest.Start(t)) // an empty bucket, until the test ends
//	blob, err := store.Put(ctx, body, 25<<20)
package blobtest

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"burble/app/blobs"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const (
	bucket, keyID, secret = "burble-test", "key", "secret"
	region                = "us-east-1"
)

// version is the version of versitygw.
const version = "v1.8.0"

// find returns the path of versitygw. If CI is set, it builds the program if necessary, which takes a minute or two, and keeps
// it for the next run.
var find = sync.OnceValues(func() (string, error) {
	if path, err := exec.LookPath("versitygw"); err == nil {
		return path, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(cache, "burble-test", version)
	path := filepath.Join(folder, "versitygw")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if os.Getenv("CI") == "" {
		return "", errors.New("versitygw is not on PATH; CI=true builds it")
	}
	// Without optimization, the libraries of three cloud providers compile in two thirds of the time.
	command := exec.Command("go", "install", "-gcflags=github.com/...=-N -l", "-ldflags=-s -w", "github.com/versity/versitygw/cmd/versitygw@"+version)
	command.Env = append(os.Environ(), "GOBIN="+folder, "GOFLAGS=")
	if output, err := command.CombinedOutput(); err != nil {
		return "", &exec.Error{Name: string(output), Err: err}
	}
	return path, nil
})

// Start starts a server in a process of its own until the test ends, and returns how to open a bucket in it.
func Start(t testing.TB) blobs.S3Options {
	t.Helper()
	if testing.Short() {
		t.Skip("no real S3 server with -short")
	}
	program, err := find()
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal("no versitygw, and CI must not skip this test: ", err)
	}
	if err != nil {
		t.Skip("skipped: ", err)
	}
	address := freeAddress(t)
	command := exec.Command(program, "--port", address, "--access", keyID, "--secret", secret, "--quiet", "posix", t.TempDir())
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { command.Process.Kill(); command.Wait() })
	return CreateBucket(t, "http://"+address)
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

// CreateBucket waits until the server at the URL answers, creates a bucket, and returns how to open it.
func CreateBucket(t testing.TB, endpoint string) blobs.S3Options {
	t.Helper()
	client, err := minio.New(endpoint[len("http://"):], &minio.Options{Creds: credentials.NewStaticV4(keyID, secret, ""), Region: region})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if err = client.MakeBucket(context.Background(), bucket, minio.MakeBucketOptions{}); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	return blobs.S3Options{Endpoint: endpoint, Bucket: bucket, Region: region, KeyID: keyID, Secret: secret}
}

// Open opens the bucket.
func Open(t testing.TB, options blobs.S3Options) *blobs.S3 {
	t.Helper()
	store, err := blobs.OpenS3(options)
	if err != nil {
		t.Fatal(err)
	}
	return store
}
