package blobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"runtime"
	"time"
)

var (
	// ErrNotFound means that there is no such object.
	ErrNotFound = errors.New("object not found")
	// ErrTooLarge means that there are more bytes than the limit allows.
	ErrTooLarge = errors.New("object too large")
)

// PresignedLifetime is how long a URL from PresignGet is valid.
const PresignedLifetime = 5 * time.Minute

// A Blob identifies an object.
type Blob struct {
	Hash string // the SHA-256 of its bytes, as 64 lowercase hexadecimal digits
	Size int64
}

// An Object is an object that can be read. The caller must close it.
type Object interface {
	io.ReadSeekCloser
	Size() int64
}

// An Info describes a stored object.
type Info struct {
	Blob
	Stored time.Time // when it was last put, by the clock of the store
}

// A Presentation determines two headers of the response to a presigned URL.
type Presentation struct{ ContentType, ContentDisposition string }

// A Store keeps objects.
type Store interface {
	// Put stores the content of body. If that has more than limit bytes, Put stores nothing and returns ErrTooLarge.
	Put(ctx context.Context, body io.Reader, limit int64) (Blob, error)
	// Open returns the object with the hash, or ErrNotFound.
	Open(ctx context.Context, hash string) (Object, error)
	// Exists reports whether there is an object with the hash.
	Exists(ctx context.Context, hash string) (bool, error)
	// Delete removes the object, if there is one. Readers that have it open may get an error.
	Delete(ctx context.Context, hash string) error
	// PresignGet returns a URL from which anyone can download the object for PresignedLifetime, or "" if the store does
	// not support that. It does not check whether the object exists. The URL must not be logged or stored.
	PresignGet(ctx context.Context, hash string, as Presentation) (url string, err error)
	// Origin returns the origin of these URLs, for a Content-Security-Policy, or "".
	Origin() string
	// List returns the objects whose hash is greater than after, in the order of their hashes.
	List(ctx context.Context, after string) iter.Seq2[Info, error]
}

// CheckHash returns ErrNotFound unless hash has the form of a hash. All methods of a Store call it.
func CheckHash(hash string) error {
	if len(hash) != 2*sha256.Size {
		return ErrNotFound
	}
	for _, digit := range []byte(hash) {
		if (digit < '0' || digit > '9') && (digit < 'a' || digit > 'f') {
			return ErrNotFound
		}
	}
	return nil
}

// write copies body to file, and returns what it wrote.
func write(ctx context.Context, file io.Writer, body io.Reader, limit int64) (Blob, error) {
	hash := sha256.New()
	reader := contextReader{ctx, io.LimitReader(body, limit+1)}
	size, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(file, hash)}, reader, make([]byte, 64<<10))
	if err != nil {
		return Blob{}, fmt.Errorf("copy an object: %w", err)
	}
	if size > limit {
		return Blob{}, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
	}
	return Blob{hex.EncodeToString(hash.Sum(nil)), size}, nil
}

// A contextReader reads until ctx ends.
type contextReader struct {
	ctx  context.Context
	from io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(p)
}

// Spool copies body to a temporary file without a name, which disappears when the caller closes it or the process
// ends. The next read from the file is at its beginning. If body has more than limit bytes, Spool returns ErrTooLarge.
func Spool(ctx context.Context, body io.Reader, limit int64) (*os.File, Blob, error) {
	file, err := Temporary()
	if err != nil {
		return nil, Blob{}, err
	}
	blob, err := write(ctx, file, body, limit)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		file.Close()
		return nil, Blob{}, err
	}
	return file, blob, nil
}

// Temporary returns an empty temporary file without a name, which disappears when the caller closes it or the process
// ends.
func Temporary() (*os.File, error) {
	file, err := os.CreateTemp("", "burble-*")
	if err != nil {
		return nil, fmt.Errorf("create a temporary file: %w", err)
	}
	if err := os.Remove(file.Name()); err != nil && runtime.GOOS != "windows" { // Windows cannot remove open files
		file.Close()
		return nil, fmt.Errorf("unlink a temporary file: %w", err)
	}
	return file, nil
}
