package blobs_test

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"burble/app/blobs"
)

var picture = blobs.Presentation{ContentType: "image/png", ContentDisposition: `inline; filename="a b.png"; filename*=UTF-8''%C3%A4.png`}

func get(t *testing.T, address string) (status int, header http.Header, body string) {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(data)
}

func TestPresignedURL(t *testing.T) {
	t.Parallel()
	store := startS3(t)
	blob, err := store.Put(ctx, strings.NewReader("a picture"), 100)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := store.PresignGet(ctx, blob.Hash, picture)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(signed, store.Origin()+"/") {
		t.Errorf("the URL %s does not have the origin %s", signed, store.Origin())
	}
	status, header, body := get(t, signed)
	if status != http.StatusOK || body != "a picture" {
		t.Fatalf("got status %d and body %q, want 200 and the picture", status, body)
	}
	if header.Get("Content-Type") != picture.ContentType || header.Get("Content-Disposition") != picture.ContentDisposition {
		t.Errorf("got headers %v, want Content-Type %s and Content-Disposition %s", header, picture.ContentType, picture.ContentDisposition)
	}
	address, err := url.Parse(signed)
	if err != nil {
		t.Fatal(err)
	}
	if lifetime := address.Query().Get("X-Amz-Expires"); lifetime != "300" {
		t.Errorf("the URL works for %s s, want 300", lifetime)
	}
	forged := map[string]string{
		"no signature":      strings.Split(signed, "?")[0],
		"another object":    strings.Replace(signed, blob.Hash, strings.Repeat("0", 64), 1),
		"another type":      strings.Replace(signed, "image%2Fpng", "text%2Fhtml", 1),
		"a longer lifetime": strings.Replace(signed, "X-Amz-Expires=300", "X-Amz-Expires=3000", 1),
		"another signature": signed[:len(signed)-4] + "0000",
	}
	for what, address := range forged {
		if address == signed {
			t.Fatalf("%s: the forged URL is the same as the signed one", what)
		}
		if status, _, body := get(t, address); status != http.StatusForbidden || strings.Contains(body, "a picture") {
			t.Errorf("%s: got status %d, want 403", what, status)
		}
	}
}

func TestPresignedURLExpires(t *testing.T) {
	t.Parallel()
	store := startS3(t)
	blob, err := store.Put(ctx, strings.NewReader("a picture"), 100)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := store.PresignFor(ctx, blob.Hash, picture, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if status, _, _ := get(t, signed); status == http.StatusForbidden {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the URL never expired")
		}
	}
	if signed, err = store.PresignGet(ctx, blob.Hash, picture); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := get(t, signed); status != http.StatusOK {
		t.Errorf("a new URL: got status %d, want 200", status)
	}
}

func TestWrongSecretIsRefused(t *testing.T) {
	t.Parallel()
	origin := startS3(t).Origin()
	store, err := blobs.OpenS3(blobs.S3Options{Endpoint: origin, Bucket: "burble-test", KeyID: "key", Secret: "wrong"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Put(ctx, strings.NewReader("a"), 1); err == nil || errors.Is(err, blobs.ErrNotFound) {
		t.Errorf("Put with a wrong secret returned %v, want an error other than ErrNotFound", err)
	} else if strings.Contains(err.Error(), "wrong") {
		t.Errorf("the error contains the secret: %v", err)
	}
}

func TestMissingBucketIsNotAMissingObject(t *testing.T) {
	t.Parallel()
	origin := startS3(t).Origin()
	store, err := blobs.OpenS3(blobs.S3Options{Endpoint: origin, Bucket: "another-bucket", KeyID: "key", Secret: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Put(ctx, strings.NewReader("a"), 1); err == nil || errors.Is(err, blobs.ErrNotFound) {
		t.Errorf("Put returned %v, want an error other than ErrNotFound", err)
	}
}

// with returns a copy of the variables with another one.
func with(variables map[string]string, name, value string) map[string]string {
	all := maps.Clone(variables)
	all[name] = value
	return all
}

func TestS3FromEnvironment(t *testing.T) {
	t.Parallel()
	fly := map[string]string{"BUCKET_NAME": "files", "AWS_ENDPOINT_URL_S3": "https://fly.storage.tigris.dev", "AWS_ACCESS_KEY_ID": "tid_1", "AWS_SECRET_ACCESS_KEY": "tsec_1", "AWS_REGION": "auto"}
	bucketeer := map[string]string{"BUCKETEER_BUCKET_NAME": "bucketeer-1", "BUCKETEER_AWS_ACCESS_KEY_ID": "AKIA1", "BUCKETEER_AWS_SECRET_ACCESS_KEY": "s", "BUCKETEER_AWS_REGION": "eu-west-1"}
	tests := []struct {
		name, wantOrigin, wantError string
		variables                   map[string]string
	}{
		{"Fly", "https://files.fly.storage.tigris.dev", "", fly},
		{"Bucketeer", "https://bucketeer-1.s3.dualstack.eu-west-1.amazonaws.com", "", bucketeer},
		{"Bucketeer, with a service of its own", "http://127.0.0.1:9000", "", with(bucketeer, "AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9000")},
		{"nothing", "", "", nil},
		{"credentials for something else", "", "", map[string]string{"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}},
		{"no secret", "", "AWS_SECRET_ACCESS_KEY", map[string]string{"BUCKET_NAME": "files", "AWS_ACCESS_KEY_ID": "a"}},
		{"no key", "", "BUCKETEER_AWS_ACCESS_KEY_ID", map[string]string{"BUCKETEER_BUCKET_NAME": "files", "BUCKETEER_AWS_SECRET_ACCESS_KEY": "a", "AWS_ACCESS_KEY_ID": "b"}},
	}
	for _, test := range tests {
		options, found, err := blobs.S3FromEnvironment(func(name string) string { return test.variables[name] })
		if test.wantError != "" {
			if err == nil || !strings.Contains(err.Error(), test.wantError) {
				t.Errorf("%s: got the error %v, want one that names %s", test.name, err, test.wantError)
			}
			continue
		}
		if err != nil || found != (test.wantOrigin != "") {
			t.Errorf("%s: found is %v, error %v; want a store only if the environment configures one", test.name, found, err)
			continue
		}
		if !found {
			continue
		}
		store, err := blobs.OpenS3(options)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else if store.Origin() != test.wantOrigin {
			t.Errorf("%s: the origin is %s, want %s", test.name, store.Origin(), test.wantOrigin)
		}
	}
	for _, endpoint := range []string{"fly.storage.tigris.dev", "ftp://a", "https://"} {
		if _, err := blobs.OpenS3(blobs.S3Options{Endpoint: endpoint, Bucket: "files", KeyID: "a", Secret: "b"}); err == nil {
			t.Errorf("OpenS3 accepted the invalid endpoint %q", endpoint)
		}
	}
}
