package attachments

import (
	"context"
	"errors"
	"fmt"

	"burble/app/blobs"
	"burble/app/filetype"
	"burble/streams"
)

// Version selects whether to serve a file or its thumbnail, and whether browsers may show it.
type Version struct {
	Thumbnail bool // the smaller picture, or the file itself if it has none
	Attached  bool // as an attachment, so that browsers save it even if they could show it
}

// Download identifies an object, and has the headers of the response that serves it.
type Download struct {
	Hash        string
	Type        string // of the response
	Disposition string
}

// Describe returns the Download for a version of the file.
func Describe(file streams.File, version Version) Download {
	d := Download{file.Hash, filetype.Served(file.Type), filetype.Disposition(file.Type, file.Name)}
	if version.Thumbnail && file.Thumbnail != "" {
		d.Hash, d.Type = file.Thumbnail, filetype.Served(file.ThumbnailType)
		d.Disposition = filetype.Disposition(file.ThumbnailType, filetype.CleanName(file.Name, file.ThumbnailType))
	}
	if version.Attached {
		d.Disposition = filetype.ContentDisposition("attachment", file.Name)
	}
	return d
}

// URL returns a URL from which anyone can download the file for blobs.PresignedLifetime, or "" if the caller must use
// Open. The URL must not be logged or stored.
func (s *Service) URL(ctx context.Context, d Download) (string, error) {
	url, err := s.options.Store.PresignGet(ctx, d.Hash, blobs.Presentation{ContentType: d.Type, ContentDisposition: d.Disposition})
	if err != nil {
		return "", storageError(err)
	}
	return url, nil
}

// Open returns the object of the file. The caller must close it.
func (s *Service) Open(ctx context.Context, d Download) (blobs.Object, error) {
	object, err := s.options.Store.Open(ctx, d.Hash)
	if errors.Is(err, blobs.ErrNotFound) {
		s.log.Error("an object is missing from the store", "hash", d.Hash)
		return nil, fmt.Errorf("%w: %w", errGone, err)
	}
	if err != nil {
		return nil, storageError(err)
	}
	return object, nil
}
