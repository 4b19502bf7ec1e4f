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

// object is a file or a thumbnail to store under its hash.
type object struct {
	body io.ReadSeeker
	size int64
	hash string
}

// objects are a file and, if it has one, its thumbnail. The caller must close them.
type objects []object

func (o objects) close() {
	for i := range o {
		if closer, ok := o[i].body.(io.Closer); ok {
			closer.Close()
		}
	}
}

// thumbnail returns the hash of the thumbnail, or "".
func (o objects) thumbnail() string {
	if len(o) < 2 {
		return ""
	}
	return o[1].hash
}

// describe sets all fields of the file except its ID and hashes, and returns the objects to store.
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

// asPictureError converts an error from package pictures to one for clients.
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

// put adds the file's reference to an object, and stores the object if necessary.
func (s *Service) put(ctx context.Context, o *object, id string) error {
	others, err := s.awaitReference(ctx, o.hash, id)
	if err != nil {
		return err
	}
	if err := s.step("referenced"); err != nil {
		return err
	}
	// An object without other references is stored even if it exists, so that the sweep does not remove it as old.
	if others > 0 {
		if exists, err := s.options.Store.Exists(ctx, o.hash); err != nil || exists {
			return storageError(err)
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
		return storageError(err)
	}
	s.storedBytes.Add(o.size)
	return s.step("stored")
}

// awaitReference is like addReference, but waits while the object is being removed.
func (s *Service) awaitReference(ctx context.Context, hash, id string) (others int, err error) {
	for deadline := time.Now().Add(referenceTimeout); ; {
		others, err = s.addReference(ctx, hash, id)
		if !errors.Is(err, errRemoving) || time.Now().After(deadline) {
			return others, err
		}
		if err := s.step("waiting"); err != nil {
			return 0, err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(referenceRetry):
		}
	}
}
