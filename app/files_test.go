package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"burble/app/blobs"

	"github.com/alicebob/miniredis/v2"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

var (
	flyBucket = []string{"BUCKET_NAME", "fly", "AWS_ENDPOINT_URL_S3", "https://fly.storage.tigris.dev", "AWS_ACCESS_KEY_ID", "tid", "AWS_SECRET_ACCESS_KEY", "hush", "AWS_REGION", "auto"}
	bucketeer = []string{"BUCKETEER_BUCKET_NAME", "bucketeer-1", "BUCKETEER_AWS_ACCESS_KEY_ID", "AKIA", "BUCKETEER_AWS_SECRET_ACCESS_KEY", "hush", "BUCKETEER_AWS_REGION", "eu-west-1"}
	withRedis = []string{"REDIS_URL", "redis://redis:6379"}
)

func TestFileStorageLocation(t *testing.T) {
	t.Parallel()
	fly := blobs.S3Options{Bucket: "fly", Endpoint: "https://fly.storage.tigris.dev", KeyID: "tid", Secret: "hush", Region: "auto"}
	for name, test := range map[string]struct {
		settings  [][]string
		directory string
		s3        blobs.S3Options
		err       string
	}{
		"development":                {nil, filepath.Join("data", "files"), blobs.S3Options{}, ""},
		"development, other data":    {[][]string{{"DATA_DIR", "/var/lib/burble"}}, filepath.Join("/var/lib/burble", "files"), blobs.S3Options{}, ""},
		"REDIS_URL without a bucket": {[][]string{withRedis}, "", blobs.S3Options{}, ""},
		"off":                        {[][]string{{"FILES", "off"}}, "", blobs.S3Options{}, ""},
		"off with a bucket":          {[][]string{flyBucket, {"FILES", "off"}}, "", blobs.S3Options{}, ""},
		"a directory":                {[][]string{withRedis, {"FILES", "/srv/files"}}, "/srv/files", blobs.S3Options{}, ""},
		"a directory and a bucket":   {[][]string{withRedis, flyBucket, {"FILES", "/srv/files"}}, "/srv/files", blobs.S3Options{}, ""},
		"Fly":                        {[][]string{withRedis, flyBucket}, "", fly, ""},
		"Fly, without REDIS_URL":     {[][]string{flyBucket}, "", fly, ""},
		"Heroku":                     {[][]string{withRedis, bucketeer}, "", blobs.S3Options{Bucket: "bucketeer-1", KeyID: "AKIA", Secret: "hush", Region: "eu-west-1"}, ""},
		"a bucket without a key":     {[][]string{withRedis, flyBucket[:4]}, "", blobs.S3Options{}, "BUCKET_NAME is set, but AWS_"},
	} {
		var settings []string
		for _, some := range test.settings {
			settings = append(settings, some...)
		}
		config, err := ParseConfig(nil, env(settings...))
		switch {
		case test.err != "":
			if err == nil || !strings.Contains(err.Error(), test.err) || !strings.Contains(err.Error(), "FILES=off") || strings.Contains(err.Error(), "hush") {
				t.Errorf("%s: got %v, want an error that contains %q and FILES=off, but no secret", name, err, test.err)
			}
		case err != nil || config.Files != test.directory || config.S3 != test.s3:
			t.Errorf("%s: files are in %q or %+v (%v), want %q or %+v", name, config.Files, config.S3, err, test.directory, test.s3)
		}
	}
}

// startWith starts the program with the settings, and returns its URL.
func startWith(t *testing.T, settings ...string) string {
	t.Helper()
	config, err := ParseConfig(nil, env(append(settings, "PORT", "0", "REDIS_URL", "redis://"+miniredis.RunT(t).Addr())...))
	if err != nil {
		t.Fatal(err)
	}
	return startRun(t, config)
}

// uploadStatus returns the status of an upload by a new guest.
func uploadStatus(t *testing.T, url string) int {
	t.Helper()
	session, err := http.Post(url+"/session", "application/json", strings.NewReader(`{"name":"Ada"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer session.Body.Close()
	request, err := http.NewRequest("POST", url+"/r/lobby/files?name=x", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+session.Cookies()[0].Value)
	got, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	got.Body.Close()
	return got.StatusCode
}

func TestProgramStoresFiles(t *testing.T) {
	t.Parallel()
	directory := filepath.Join(t.TempDir(), "files")
	backend := s3mem.New()
	if err := backend.CreateBucket("fly"); err != nil {
		t.Fatal(err)
	}
	s3 := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(s3.Close)
	for name, test := range map[string]struct {
		settings []string
		status   int
	}{
		"a directory": {[]string{"FILES", directory}, http.StatusCreated},
		"a bucket":    {append([]string{"AWS_ENDPOINT_URL_S3", s3.URL}, append(flyBucket[:2:2], flyBucket[4:]...)...), http.StatusCreated},
		"neither":     {nil, http.StatusMethodNotAllowed}, // without files, only GET of a message's page matches the path
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := uploadStatus(t, startWith(t, test.settings...)); got != test.status {
				t.Errorf("upload: status %d, want %d", got, test.status)
			}
		})
	}
	if _, err := os.Stat(filepath.Dir(directory)); err != nil {
		t.Error(err)
	}
}

// A server whose bucket cannot be reached serves everything else, because people can write without files.
func TestProgramStartsWithoutItsBucket(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	url := startWith(t, append([]string{"AWS_ENDPOINT_URL_S3", "http://" + listener.Addr().String()}, append(flyBucket[:2:2], flyBucket[4:]...)...)...)
	client := http.Client{Timeout: time.Minute}
	got, err := client.Get(url + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	if got.Body.Close(); got.StatusCode != http.StatusOK {
		t.Errorf("/readyz: status %d, want 200", got.StatusCode)
	}
	if status := uploadStatus(t, url); status != http.StatusServiceUnavailable {
		t.Errorf("upload: status %d, want 503", status)
	}
}

func TestUnusableDirectoryStopsTheStart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openStore(Config{Files: filepath.Join(file, "files")}); err == nil || !strings.Contains(err.Error(), "FILES") {
		t.Errorf("got %v, want an error that names FILES", err)
	}
}
