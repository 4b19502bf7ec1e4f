package attachments

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"burble/app/blobs"
	"burble/app/filetype"
	"burble/app/pictures"
	"burble/streams"
)

// object is what is to be stored under a hash. The caller must close the objects.
type object struct {
	body io.ReadSeeker
	size int64
	hash string
}

type objects []object

func (o objects) close() {
	for i := range o {
		if closer, ok := o[i].body.(io.Closer); ok {
			closer.Close()
		}
	}
}

// thumbnail returns the hash of the second object, or "".
func (o objects) thumbnail() string {
	if len(o) < 2 {
		return ""
	}
	return o[1].hash
}

// describe sets the fields of the file except for its ID and hashes. It returns what is to be stored: the file, and
// its thumbnail if there is one.
func (s *Service) describe(ctx context.Context, u Upload, spooled *os.File, mediaType string, file *streams.File) (stored objects, err error) {
	*file = streams.File{Type: mediaType, Size: u.Size}
	if !filetype.IsPicture(mediaType) {
		file.Name = filetype.CleanName(u.Name, mediaType)
		original := object{body: struct{ io.ReadSeeker }{spooled}, size: u.Size} // the caller closes spooled
		original.hash, err = hashOf(original.body)
		return objects{original}, err
	}
	processed, err := blobs.Temporary()
	if err != nil {
		return nil, err
	}
	stored = objects{{body: processed}}
	defer func() {
		if err != nil {
			stored.close()
			stored = nil
		}
	}()
	picture, err := s.pictures.Process(ctx, spooled, processed)
	if err != nil {
		return nil, asPictureError(err)
	}
	if stored[0].size, err = processed.Seek(0, io.SeekEnd); err != nil {
		return nil, fmt.Errorf("measure a picture: %w", err)
	}
	if picture.Thumbnail != nil {
		stored = append(stored, object{body: bytes.NewReader(picture.Thumbnail), size: int64(len(picture.Thumbnail))})
		file.ThumbnailType = picture.ThumbnailType
	}
	for i := range stored {
		if stored[i].hash, err = hashOf(stored[i].body); err != nil {
			return nil, err
		}
	}
	file.Type, file.Size = picture.Type, stored[0].size
	file.Width, file.Height, file.Color = picture.Width, picture.Height, picture.Color
	file.Name = filetype.CleanName(u.Name, picture.Type)
	return stored, s.step("processed")
}

// asPictureError returns an error of package pictures as clients see it.
func asPictureError(err error) error {
	for cause, shown := range map[error]error{
		pictures.ErrCorrupt: errCorrupt, pictures.ErrUnsupported: errCorrupt, pictures.ErrTooLarge: errTooManyPixels,
	} {
		if errors.Is(err, cause) {
			return fmt.Errorf("%w: %w", shown, err)
		}
	}
	return err
}

// put adds the reference of a file to an object, and stores the object if it is not there yet.
func (s *Service) put(ctx context.Context, o *object, id string) error {
	others, err := s.referWhenRemoved(ctx, o.hash, id)
	if err != nil {
		return err
	}
	if err := s.step("referred"); err != nil {
		return err
	}
	// An object without other references is stored even if it is there, which makes it young for the sweep.
	if others > 0 {
		if exists, err := s.options.Store.Exists(ctx, o.hash); err != nil || exists {
			return asStoreError(err)
		}
	}
	if _, err := o.body.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read an upload again: %w", err)
	}
	blob, err := s.options.Store.Put(ctx, o.body, o.size)
	if err == nil && blob.Hash != o.hash {
		err = fmt.Errorf("stored %s instead of %s", blob.Hash, o.hash)
	}
	if err != nil {
		return asStoreError(err)
	}
	s.storedBytes.Add(o.size)
	return s.step("stored")
}

// referWhenRemoved adds a reference. If the same object is being removed, it waits for the end of that.
func (s *Service) referWhenRemoved(ctx context.Context, hash, id string) (others int, err error) {
	for deadline := time.Now().Add(referTimeout); ; {
		others, err = s.refer(ctx, hash, id)
		if !errors.Is(err, errRemoving) || time.Now().After(deadline) {
			return others, err
		}
		if err := s.step("waiting"); err != nil {
			return 0, err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(referRetry):
		}
	}
}
