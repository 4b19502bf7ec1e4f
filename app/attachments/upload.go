package attachments

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"burble/app/blobs"
	"burble/app/filetype"
	"burble/app/identity"
	"burble/app/protocol"
	"burble/streams"
)

const (
	// uploadTimeout limits an upload, including the time to read its body.
	uploadTimeout = 90 * time.Minute
	// journalLife is after how long an upload in the journal must have ended by Redis's clock, even if its process was
	// stopped for a while.
	journalLife = 2 * time.Hour
	// undoTimeout limits how long an upload that has failed is undone. After that, the job does it.
	undoTimeout = 15 * time.Second
	// referTimeout is how long an upload waits while the same object is being removed.
	referTimeout = 5 * time.Second
	referRetry   = 50 * time.Millisecond
)

// Upload is a file that a user sends.
type Upload struct {
	User        identity.User
	Address     string // of the client, for the quota of guests
	Room        string
	Name        string // as the client calls it
	Size        int64  // how many bytes Body has
	Body        io.Reader
	PictureOnly bool // refuse other files
}

// Upload stores a file, and makes it available to the user for one message in the room. The caller must have checked that
// the user may send messages there. Before Upload reads the body, it checks the size and the quotas.
func (s *Service) Upload(ctx context.Context, u Upload) (streams.File, error) {
	file, err := s.upload(ctx, u)
	if err != nil {
		s.refused.count(AsError(err))
		return streams.File{}, fmt.Errorf("upload: %w", err)
	}
	s.uploads.Add(1)
	return file, nil
}

func (s *Service) upload(ctx context.Context, u Upload) (file streams.File, err error) {
	if err := s.checkSize(u); err != nil {
		return file, err
	}
	ctx, cancel := context.WithTimeout(ctx, uploadTimeout)
	defer cancel()
	e := &entry{id: rand.Text(), Room: u.Room, Day: payer(u) + ":" + s.now().UTC().Format(time.DateOnly)}
	if err := s.reserve(ctx, e, u.Size); err != nil {
		return file, err
	}
	err = s.store(ctx, u, e, &file)
	switch {
	case err == nil:
		_ = s.step("added") // the file may be sent already, so nothing must be undone
		s.finish(ctx, e)
	case !errors.Is(err, errUncertain): // otherwise, the job finds out later whether the file was added
		undoing, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
		defer cancel()
		if undoErr := s.undo(undoing, e); undoErr != nil {
			s.log.Debug("an upload is undone later", "error", undoErr)
		}
	}
	return file, err
}

// payer returns whose daily quota the upload uses.
func payer(u Upload) string {
	if u.User.Rank == identity.Guest {
		return u.Address
	}
	return u.User.ID
}

func (s *Service) checkSize(u Upload) error {
	limit := s.MaxUpload()
	if u.PictureOnly {
		limit = s.options.MaxPicture
	}
	switch {
	case u.Size <= 0:
		return errEmpty
	case u.Size > limit:
		return tooLarge("file", limit)
	}
	return nil
}

// finish ends an upload that has succeeded. Its result is already certain, so an error only means that the job ends it.
func (s *Service) finish(ctx context.Context, e *entry) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	if err := s.settle(ctx, e, true); err != nil {
		s.log.Debug("an upload is settled later", "error", err)
	}
}

// undo removes what a failed upload has stored, and gives back what it has reserved.
func (s *Service) undo(ctx context.Context, e *entry) error {
	for _, hash := range e.Hashes {
		if err := s.remove(ctx, hash, e.id); err != nil {
			return err
		}
	}
	return s.settle(ctx, e, false)
}

// store does the steps of an upload after its bytes have been reserved.
func (s *Service) store(ctx context.Context, u Upload, e *entry, file *streams.File) error {
	if err := s.step("reserved"); err != nil {
		return err
	}
	spooled, mediaType, err := s.spool(ctx, u)
	if err != nil {
		return err
	}
	defer spooled.Close()
	if err := s.step("spooled"); err != nil {
		return err
	}
	objects, err := s.describe(ctx, u, spooled, mediaType, file)
	if err != nil {
		return err
	}
	defer objects.close()
	file.ID, file.Hash, file.Thumbnail = e.id, objects[0].hash, objects.thumbnail()
	var size int64
	for i := range objects {
		e.Hashes, e.Sizes = append(e.Hashes, objects[i].hash), append(e.Sizes, objects[i].size)
		size += objects[i].size
	}
	// A picture may be larger than its upload. This records the hashes before the first reference, so that undo finds
	// all of them.
	if err := s.reserve(ctx, e, max(0, size-e.Size)); err != nil {
		return err
	}
	if err := s.step("recorded"); err != nil {
		return err
	}
	for i := range objects {
		if err := s.put(ctx, &objects[i], e.id); err != nil {
			return err
		}
	}
	return s.add(ctx, u, *file)
}

// add makes the file available. If it returns errUncertain, it may have done so.
func (s *Service) add(ctx context.Context, u Upload, file streams.File) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err := s.options.Rooms.AddFile(ctx, u.User, u.Room, file)
	if err != nil && protocol.AsError(err).Code == protocol.Unavailable {
		return fmt.Errorf("%w: %w", errUncertain, err)
	}
	return err
}

// spool reads the body into a temporary file, after it has checked the limit for the type that its first bytes have.
func (s *Service) spool(ctx context.Context, u Upload) (file *os.File, mediaType string, err error) {
	head := make([]byte, min(filetype.HeadSize, u.Size))
	if _, err := io.ReadFull(u.Body, head); err != nil {
		return nil, "", fmt.Errorf("%w: %w", errBody, err)
	}
	mediaType = filetype.Sniff(head)
	limit, kind := s.options.MaxFile, "file"
	if filetype.IsPicture(mediaType) {
		limit, kind = s.options.MaxPicture, "picture"
	} else if u.PictureOnly {
		return nil, "", errNoPicture
	}
	if u.Size > limit {
		return nil, "", tooLarge(kind, limit)
	}
	body := &bodyReader{from: io.LimitReader(u.Body, u.Size-int64(len(head)))}
	file, blob, err := blobs.Spool(ctx, io.MultiReader(bytes.NewReader(head), body), u.Size)
	switch {
	case body.err != nil:
		return nil, "", fmt.Errorf("%w: %w", errBody, body.err)
	case err != nil:
		return nil, "", err
	case blob.Size != u.Size:
		file.Close()
		return nil, "", fmt.Errorf("%w: %w", errBody, io.ErrUnexpectedEOF)
	}
	return file, mediaType, nil
}

// bodyReader keeps the error of a reader, to distinguish it from those of the disk.
type bodyReader struct {
	from io.Reader
	err  error
}

func (r *bodyReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}
