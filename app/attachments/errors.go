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
	"burble/app/filetype"
	"burble/app/pictures"
	"burble/app/protocol"
)

// The errors of uploads and downloads for clients.
var (
	errEmpty = protocol.Errorf(protocol.BadField, "file", "The file is empty.")
	errBody  = protocol.Errorf(protocol.BadField, "file", "The upload is incomplete. Send the file again.")

	errNoPicture = protocol.Errorf(protocol.BadField, "file", "The file is not a picture.")
	errCorrupt   = &protocol.Error{Code: protocol.BadField, Field: "file", Message: "The picture is damaged or incomplete.",
		Title: "This picture cannot be read", Detail: "It is damaged or incomplete."}
	errTooManyPixels = &protocol.Error{Code: protocol.BadField, Field: "file",
		Message: fmt.Sprintf("The picture has more than %d million pixels or %d frames, or needs too much memory.", pictures.MaxPixels/1_000_000, pictures.MaxFrames),
		Title:   "This picture is too large", Detail: "Make it smaller, and try again."}

	errTotal = &protocol.Error{Code: protocol.Full, Message: "The server’s file storage is full.",
		Title: "File storage is full", Detail: "Your file was not stored. Try again later."}
	errDay = &protocol.Error{Code: protocol.Full, Message: "You have reached your upload limit for today. Try again tomorrow.",
		Title: "You have reached your upload limit for today", Detail: "Try again tomorrow."}

	errGone = &protocol.Error{Code: protocol.NotFound, Message: "The file no longer exists.", Title: "This file no longer exists"}
)

// errUncertain means that the file may or may not have been added.
var errUncertain = errors.New("uncertain outcome")

func tooLarge(kind string, limit int64) error {
	return &protocol.Error{Code: protocol.TooLarge, Field: "file",
		Message: fmt.Sprintf("A %s can be at most %s.", kind, filetype.FormatSize(limit)),
		Title:   fmt.Sprintf("A %s can be at most %s", kind, filetype.FormatSize(limit)), Detail: "Make it smaller, and try again."}
}

// storageError converts an error from the Store to one for clients. It returns nil for nil.
func storageError(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, syscall.ENOSPC) {
		full := *errTotal
		full.Cause = err
		return &full
	}
	return &protocol.Error{Code: protocol.Unavailable, RetryAfter: 5 * time.Second, Cause: err,
		Message: "File storage is unavailable. Try again later.",
		Title:   "File storage is unavailable", Detail: "Try again in a moment."}
}

// AsError converts any error from this package to one for clients.
func AsError(err error) *protocol.Error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, errRemoving) || errors.Is(err, blobs.ErrNotFound) {
		return protocol.AsError(storageError(err))
	}
	return protocol.AsError(err)
}

// hashOf returns the hash of the whole body.
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
