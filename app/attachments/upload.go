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
	// journalLifetime is the age by Redis's clock at which an upload in the journal must have ended, even if its process was
	// suspended for a while.
	journalLifetime = 2 * time.Hour
	// undoTimeout limits the time to settle or undo an upload. After that, the job does it.
	undoTimeout = 15 * time.Second
	// referenceTimeout is how long an upload waits while the same object is being removed.
	referenceTimeout = 5 * time.Second
	referenceRetry   = 50 * time.Millisecond
)

// Upload is a file that a user sends.
type Upload struct {
	User        identity.User
	Address     string // of the client, for the quota of guests
	Room        string
	Name        string // from the client
	Size        int64  // of Body, in bytes
	Body        io.Reader
	PictureOnly bool // refuse files of other types
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
		_ = s.step("added") // a message may already have the file, so the upload cannot be undone
		s.finish(ctx, e)
	case !errors.Is(err, errUncertain): // otherwise, the job checks later whether the file was added
		undoing, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
		defer cancel()
		if undoErr := s.undo(undoing, e); undoErr != nil {
			s.log.Debug("cannot undo an upload yet", "error", undoErr)
		}
	}
	return file, err
}

// payer returns the user ID or, for a guest, the address whose daily quota the upload uses.
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

// finish settles an upload that has succeeded. After an error, the job settles it later.
func (s *Service) finish(ctx context.Context, e *entry) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	if err := s.settle(ctx, e, true); err != nil {
		s.log.Debug("cannot settle an upload yet", "error", err)
	}
}

// undo removes what a failed upload has stored, and releases what it has reserved.
func (s *Service) undo(ctx context.Context, e *entry) error {
	for _, hash := range e.Hashes {
		if err := s.removeReference(ctx, hash, e.id); err != nil {
			return err
		}
	}
	return s.settle(ctx, e, false)
}

// store stores the objects of an upload whose bytes are reserved, and makes the file available.
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
	// A processed picture may be larger than its upload. This call also records the hashes before the first reference, so
	// that undo finds all of them.
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

// add makes the file available. After errUncertain, the file may be available.
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

// spool detects the type from the first bytes of the body, checks the size limit of that type, and reads the body into a
// temporary file.
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

// bodyReader records the errors of a reader, to distinguish them from disk errors.
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
