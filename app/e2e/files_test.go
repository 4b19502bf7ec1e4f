//go:build unix

package e2e

import (
	"bytes"
	"encoding/json"
	"image"
	_ "image/jpeg"
	"image/png"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/blobs"
	"burble/app/blobs/blobtest"
	"burble/app/client"
	"burble/streams/redistest"
)

// sentFile is a file of a message, as a page of history describes it.
type sentFile struct{ URL, Thumbnail string }

// Two servers share files, in a directory and in a bucket of a real S3 server. After a message is deleted, the objects of
// its files are removed within a minute.
func TestFilesOnTwoServers(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	for name, prepare := range map[string]func(t *testing.T) (env []string, store blobs.Store){
		"directory": func(t *testing.T) ([]string, blobs.Store) {
			folder := filepath.Join(t.TempDir(), "files")
			store, err := blobs.OpenDirectory(folder)
			if err != nil {
				t.Fatal(err)
			}
			return []string{"FILES=" + folder}, store
		},
		"Fly": func(t *testing.T) ([]string, blobs.Store) {
			o := blobtest.Start(t)
			return []string{"BUCKET_NAME=" + o.Bucket, "AWS_ENDPOINT_URL_S3=" + o.Endpoint, "AWS_REGION=" + o.Region, "AWS_ACCESS_KEY_ID=" + o.KeyID, "AWS_SECRET_ACCESS_KEY=" + o.Secret}, blobtest.Open(t, o)
		},
		"Heroku": func(t *testing.T) ([]string, blobs.Store) {
			o := blobtest.Start(t)
			return []string{"BUCKETEER_BUCKET_NAME=" + o.Bucket, "AWS_ENDPOINT_URL_S3=" + o.Endpoint, "BUCKETEER_AWS_REGION=" + o.Region, "BUCKETEER_AWS_ACCESS_KEY_ID=" + o.KeyID, "BUCKETEER_AWS_SECRET_ACCESS_KEY=" + o.Secret}, blobtest.Open(t, o)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env, store := prepare(t)
			redis := redistest.Start(t)
			here, there := apptest.Start(t, redis, env...), apptest.Start(t, redis, env...)
			token := here.SignIn("Ada")
			message, file := sendPicture(t, here, token)
			expectDownload(t, there, store, file.URL, "image/png")
			expectDownload(t, there, store, file.Thumbnail, "image/jpeg")
			if count := objects(t, store); count != 2 {
				t.Errorf("there are %d objects, want the picture and its thumbnail", count)
			}
			deletion := `{"type":"delete","room":"lobby","key":"` + client.NewKey() + `","of":"` + message + `"}`
			if status, body := there.Do("POST", "/r/lobby/frames", deletion, "Authorization", "Bearer "+token, "Content-Type", "application/json"); status != http.StatusOK {
				t.Fatalf("delete: status %d, want 200: %s", status, body)
			}
			deleted := time.Now()
			if status, _ := here.Get(file.URL); status != http.StatusNotFound {
				t.Errorf("after the deletion: status %d, want 404", status)
			}
			apptest.Eventually(t, time.Minute, "the objects to be removed", func() bool { return objects(t, store) == 0 })
			t.Logf("the objects were removed %v after the message", time.Since(deleted).Round(time.Second))
		})
	}
}

// sendPicture uploads a picture and sends it.
func sendPicture(t *testing.T, server *apptest.Server, token string) (message string, file sentFile) {
	t.Helper()
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 1280, 720))); err != nil {
		t.Fatal(err)
	}
	headers := []string{"Authorization", "Bearer " + token, "Content-Type", "application/octet-stream"}
	status, body := server.Do("POST", "/r/lobby/files?name=photo.png", picture.String(), headers...)
	var uploaded struct{ ID string }
	if err := json.Unmarshal([]byte(body), &uploaded); err != nil || status != http.StatusCreated {
		t.Fatalf("upload: status %d, want 201: %s", status, body)
	}
	status, body = server.Do("POST", "/r/lobby/messages", `{"text":"Look","files":[{"id":"`+uploaded.ID+`"}]}`, headers[0], headers[1], "Content-Type", "application/json")
	if status != http.StatusCreated {
		t.Fatalf("send: status %d, want 201: %s", status, body)
	}
	message = apptest.PostedID(t, body)
	_, body = server.Get("/r/lobby/messages?limit=1")
	var page struct{ Entries []struct{ Files []sentFile } }
	if err := json.Unmarshal([]byte(body), &page); err != nil || len(page.Entries) != 1 || len(page.Entries[0].Files) != 1 {
		t.Fatalf("history: got %s, want one message with one file", body)
	}
	return message, page.Entries[0].Files[0]
}

// expectDownload downloads a file from the server, or from the bucket to which the server redirects. A URL of the bucket
// must not work without its signature, or with another one.
func expectDownload(t *testing.T, server *apptest.Server, store blobs.Store, path, mediaType string) {
	t.Helper()
	direct := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: time.Minute}
	get := func(url string) *http.Response {
		t.Helper()
		got, err := direct.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(got.Body)
		if got.Body.Close(); err != nil {
			t.Fatal(err)
		}
		got.Body = io.NopCloser(bytes.NewReader(body))
		return got
	}
	got := get(server.URL() + path)
	if location := got.Header.Get("Location"); store.Origin() != "" {
		if got.StatusCode != http.StatusFound || !strings.HasPrefix(location, store.Origin()+"/") {
			t.Fatalf("%s: %s to %q, want a redirect to the bucket", path, got.Status, location)
		}
		unsigned, _, _ := strings.Cut(location, "?")
		for what, url := range map[string]string{"no signature": unsigned, "another signature": location[:len(location)-4] + "0000"} {
			if forged := get(url); forged.StatusCode != http.StatusForbidden {
				t.Errorf("%s: %s, want 403", what, forged.Status)
			}
		}
		got = get(location)
	}
	content, err := io.ReadAll(got.Body)
	if _, format, decodeErr := image.DecodeConfig(bytes.NewReader(content)); err != nil || decodeErr != nil || "image/"+format != mediaType || got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != mediaType {
		t.Errorf("%s: got %s, %d bytes of %s, %v; want status 200 and %s", path, got.Status, len(content), format, decodeErr, mediaType)
	}
}

func objects(t *testing.T, store blobs.Store) (count int) {
	t.Helper()
	for _, err := range store.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		count++
	}
	return count
}
