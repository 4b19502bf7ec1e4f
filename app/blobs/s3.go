package blobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3Options configure an S3.
type S3Options struct {
	// Endpoint is the URL of the service. Empty means Amazon S3 in the Region.
	Endpoint string
	Bucket   string
	Region   string // empty means us-east-1
	KeyID    string
	Secret   string
}

// An S3 is a Store in a bucket. The names of its objects are their hashes.
type S3 struct {
	client *minio.Client
	bucket string
	origin string
}

// stallTimeout is how long S3 may accept or send no bytes during a request.
const stallTimeout = 30 * time.Second

// OpenS3 returns a Store in an existing bucket. It sends no requests.
func OpenS3(options S3Options) (*S3, error) { return openS3(options, stallTimeout) }

func openS3(options S3Options, stall time.Duration) (*S3, error) {
	if options.Region == "" {
		options.Region = "us-east-1"
	}
	if options.Endpoint == "" {
		options.Endpoint = "https://s3." + options.Region + ".amazonaws.com"
	}
	endpoint, err := url.Parse(options.Endpoint)
	if err != nil || endpoint.Host == "" || endpoint.Scheme != "https" && endpoint.Scheme != "http" {
		return nil, fmt.Errorf("the S3 endpoint %q must be an http or https URL", options.Endpoint)
	}
	client, err := minio.New(endpoint.Host, &minio.Options{
		Creds:              credentials.NewStaticV4(options.KeyID, options.Secret, ""),
		Secure:             endpoint.Scheme == "https",
		Region:             options.Region, // otherwise it would be looked up
		MaxRetries:         3,
		Transport:          newTransport(stall),
		BucketLookupViaURL: lookup,
	})
	if err != nil {
		return nil, fmt.Errorf("configure S3: %w", err)
	}
	s := &S3{client: client, bucket: options.Bucket}
	sample, err := s.client.PresignedGetObject(context.Background(), s.bucket, strings.Repeat("0", 64), PresignedLifetime, nil)
	if err != nil {
		return nil, fmt.Errorf("configure S3: %w", err)
	}
	s.origin = sample.Scheme + "://" + sample.Host
	return s, nil
}

// lookup decides whether the name of the bucket is part of the host. Tigris requires that for buckets created since
// February 2025, but minio-go does not do it.
func lookup(endpoint url.URL, _ string) minio.BucketLookupType {
	host := endpoint.Hostname()
	if strings.HasSuffix(host, ".tigris.dev") || strings.HasSuffix(host, ".storage.dev") {
		return minio.BucketLookupDNS
	}
	return minio.BucketLookupAuto
}

func newTransport(stall time.Duration) *http.Transport {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return stallingConn{conn, stall}, nil
		},
		TLSHandshakeTimeout:   5 * time.Second,
		ResponseHeaderTimeout: 20 * time.Second,
		IdleConnTimeout:       stall * 2 / 3,
		MaxIdleConnsPerHost:   8,
		DisableCompression:    true,
	}
}

// A stallingConn is a connection whose reads and writes fail after a time without progress. http.Transport limits only
// how long a response takes to begin.
type stallingConn struct {
	net.Conn
	timeout time.Duration
}

// Read implements net.Conn.
func (c stallingConn) Read(p []byte) (int, error) {
	c.SetReadDeadline(time.Now().Add(c.timeout))
	return c.Conn.Read(p)
}

// Write implements net.Conn. It also extends the deadline of a Read that waits for the response.
func (c stallingConn) Write(p []byte) (int, error) {
	c.SetDeadline(time.Now().Add(c.timeout))
	return c.Conn.Write(p)
}

// Put implements Store.
func (s *S3) Put(ctx context.Context, body io.Reader, limit int64) (Blob, error) {
	file, blob, err := Spool(ctx, body, limit)
	if err != nil {
		return Blob{}, err
	}
	defer file.Close()
	// This sends one request, so it cannot leave parts of an object behind. S3 compares the body with the hash.
	core := minio.Core{Client: s.client}
	_, err = core.PutObject(ctx, s.bucket, blob.Hash, file, blob.Size, "", blob.Hash, minio.PutObjectOptions{
		ContentType:          "application/octet-stream", // PresignGet overrides it
		DisableContentSha256: true,                       // no separate hash for each chunk of the body
	})
	if err != nil {
		return Blob{}, wrap("store an object", err)
	}
	return blob, nil
}

// An s3Object is an Object in S3.
type s3Object struct {
	*minio.Object
	size int64
}

// Size implements Object.
func (o s3Object) Size() int64 { return o.size }

// Open implements Store. It sends two requests.
func (s *S3) Open(ctx context.Context, hash string) (Object, error) {
	if err := CheckHash(hash); err != nil {
		return nil, err
	}
	object, err := s.client.GetObject(ctx, s.bucket, hash, minio.GetObjectOptions{})
	if err != nil {
		return nil, wrap("open an object", err)
	}
	info, err := object.Stat()
	if err != nil {
		object.Close()
		return nil, wrap("open an object", err)
	}
	return s3Object{object, info.Size}, nil
}

// Exists implements Store.
func (s *S3) Exists(ctx context.Context, hash string) (bool, error) {
	if CheckHash(hash) != nil {
		return false, nil
	}
	_, err := s.client.StatObject(ctx, s.bucket, hash, minio.StatObjectOptions{})
	if err = wrap("look up an object", err); errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Delete implements Store.
func (s *S3) Delete(ctx context.Context, hash string) error {
	if CheckHash(hash) != nil {
		return nil
	}
	err := wrap("delete an object", s.client.RemoveObject(ctx, s.bucket, hash, minio.RemoveObjectOptions{}))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// PresignGet implements Store. It sends no request.
func (s *S3) PresignGet(ctx context.Context, hash string, as Presentation) (string, error) {
	return s.presign(ctx, hash, as, PresignedLifetime)
}

func (s *S3) presign(ctx context.Context, hash string, as Presentation, lifetime time.Duration) (string, error) {
	if err := CheckHash(hash); err != nil {
		return "", err
	}
	overrides := url.Values{
		"response-content-type":        {as.ContentType},
		"response-content-disposition": {as.ContentDisposition},
		"response-cache-control":       {"private, max-age=300"},
	}
	signed, err := s.client.PresignedGetObject(ctx, s.bucket, hash, lifetime, overrides)
	if err != nil {
		return "", wrap("sign a URL", err)
	}
	return signed.String(), nil
}

// Origin implements Store.
func (s *S3) Origin() string { return s.origin }

// List implements Store.
func (s *S3) List(ctx context.Context, after string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		for object := range s.client.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{StartAfter: after, Recursive: true}) {
			if object.Err != nil {
				yield(Info{}, wrap("list objects", object.Err))
				return
			}
			if CheckHash(object.Key) != nil {
				continue // another program stored it
			}
			if !yield(Info{Blob{object.Key, object.Size}, object.LastModified}, nil) {
				return
			}
		}
	}
}

// wrap adds the operation to an error from minio-go, and removes URLs from it. For a missing object, it returns ErrNotFound.
func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	if response := minio.ToErrorResponse(err); response.Code == minio.NoSuchKey || response.StatusCode == http.StatusNotFound && response.Code != minio.NoSuchBucket {
		return ErrNotFound
	}
	var failed *url.Error // its text contains the URL
	if errors.As(err, &failed) {
		err = failed.Err
	}
	return fmt.Errorf("%s: %w", what, err)
}

// S3FromEnvironment reads the variables that hosting platforms set for a bucket: Fly (Tigris), or Heroku's add-on
// Bucketeer. found is false if there is no bucket. An error names the missing variable.
func S3FromEnvironment(getenv func(string) string) (options S3Options, found bool, err error) {
	prefix, bucket := "", "BUCKET_NAME"
	if getenv("BUCKETEER_BUCKET_NAME") != "" {
		prefix, bucket = "BUCKETEER_", "BUCKETEER_BUCKET_NAME"
	}
	options = S3Options{
		Bucket: getenv(bucket),
		KeyID:  getenv(prefix + "AWS_ACCESS_KEY_ID"),
		Secret: getenv(prefix + "AWS_SECRET_ACCESS_KEY"),
		Region: getenv(prefix + "AWS_REGION"),

		Endpoint: getenv("AWS_ENDPOINT_URL_S3"), // the AWS SDKs' variable; Bucketeer does not set it, so it uses Amazon S3
	}
	if options.Bucket == "" {
		return S3Options{}, false, nil
	}
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": options.KeyID, "AWS_SECRET_ACCESS_KEY": options.Secret} {
		if value == "" {
			return S3Options{}, false, fmt.Errorf("%s is set, but %s is not", bucket, prefix+name)
		}
	}
	return options, true, nil
}

var (
	_ Store = (*Directory)(nil)
	_ Store = (*S3)(nil)
)
