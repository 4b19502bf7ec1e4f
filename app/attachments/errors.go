package attachments

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"burble/app/blobs"
	"burble/app/pictures"
	"burble/app/protocol"
)

// The errors of uploads and downloads, as clients see them.
var (
	errEmpty = protocol.Errorf(protocol.BadField, "file", "The file is empty.")
	errBody  = protocol.Errorf(protocol.BadField, "file", "The file did not arrive completely. Send it again.")

	errNoPicture = protocol.Errorf(protocol.BadField, "file", "The file is not a picture.")
	errCorrupt   = &protocol.Error{Code: protocol.BadField, Field: "file", Message: "The picture is damaged or incomplete.",
		Title: "This picture cannot be read", Detail: "It is damaged or incomplete."}
	errTooManyPixels = &protocol.Error{Code: protocol.BadField, Field: "file",
		Message: fmt.Sprintf("The picture has more than %d million pixels or %d frames, or needs too much memory.", pictures.MaxPixels/1_000_000, pictures.MaxFrames),
		Title:   "This picture is too large", Detail: "Make it smaller, and try again."}

	errTotal = &protocol.Error{Code: protocol.Full, Message: "The server’s storage for files is full.",
		Title: "The storage for files is full", Detail: "Your file was not stored. Try again later."}
	errDay = &protocol.Error{Code: protocol.Full, Message: "You have uploaded as much as the server allows in a day. Try again tomorrow.",
		Title: "You have uploaded too much today", Detail: "Try again tomorrow."}

	errGone = &protocol.Error{Code: protocol.NotFound, Message: "The file no longer exists.", Title: "This file no longer exists"}
)

// errUncertain means that nobody knows whether the file was added.
var errUncertain = errors.New("uncertain outcome")

func tooLarge(kind string, limit int64) error {
	return &protocol.Error{Code: protocol.TooLarge, Field: "file",
		Message: fmt.Sprintf("A %s may have at most %d bytes.", kind, limit),
		Title:   fmt.Sprintf("A %s may have at most %.4g MB", kind, float64(limit)/(1<<20)), Detail: "Make it smaller, and try again."}
}

// asStoreError returns an error of the Store as clients see it.
func asStoreError(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, syscall.ENOSPC) {
		full := *errTotal
		full.Cause = err
		return &full
	}
	return &protocol.Error{Code: protocol.Unavailable, RetryAfter: 5 * time.Second, Cause: err,
		Message: "The storage for files is unavailable. Try again later.",
		Title:   "The storage for files is unavailable", Detail: "Try again in a moment."}
}

// AsError returns an error of this package as clients see it.
func AsError(err error) *protocol.Error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, errRemoving) || errors.Is(err, blobs.ErrNotFound) {
		return protocol.AsError(asStoreError(err))
	}
	return protocol.AsError(err)
}

// hashOf returns the hash of what it reads from the beginning.
func hashOf(body io.ReadSeeker) (string, error) {
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("hash an upload: %w", err)
	}
	sum := sha256.New()
	if _, err := io.CopyBuffer(struct{ io.Writer }{sum}, struct{ io.Reader }{body}, make([]byte, 64<<10)); err != nil {
		return "", fmt.Errorf("hash an upload: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
