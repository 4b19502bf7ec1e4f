package attachments

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"burble/app/blobs"
	"burble/app/identity"
	"burble/app/lease"
	"burble/app/pictures"
	"burble/streams"
	"burble/streams/conns"
)

// Rooms are what the Service needs from package chat.
type Rooms interface {
	// AddFile makes the file available to the user for a message in the room.
	AddFile(ctx context.Context, user identity.User, room string, file streams.File) error
	// HasFile reports whether AddFile has added the file, and ClaimFile has not claimed it.
	HasFile(ctx context.Context, room, id string) (bool, error)
	// DueFiles returns up to limit files of a bucket that may have lost their message.
	DueFiles(ctx context.Context, bucket, limit int) ([]streams.StoredFile, error)
	// ClaimFile reports whether no message has the file, and none can have it from now on.
	ClaimFile(ctx context.Context, file streams.StoredFile) (unreferenced bool, err error)
	// ForgetFile removes a file that ClaimFile has claimed.
	ForgetFile(ctx context.Context, file streams.StoredFile) error
}

// Options configure a Service.
type Options struct {
	Store  blobs.Store
	Rooms  Rooms
	Redis  *conns.Set
	Prefix string // of all keys

	Pictures *pictures.Processor // nil for one of its own
	Log      *slog.Logger        // may be nil

	MaxPicture, MaxFile int64 // the sizes of an upload, in bytes
	MaxTotal, MaxDay    int64 // the bytes of all objects, and of a user's uploads on a day; 0 means no limit
}

const (
	// lookInterval is how often a server looks for files without a message. A deletion wakes the job.
	lookInterval = time.Hour
	// sweepInterval is how often a server compares the store with the references.
	sweepInterval = 24 * time.Hour
)

// Service keeps files.
type Service struct {
	options  Options
	log      *slog.Logger
	pictures *pictures.Processor
	removal  *lease.Job
	sweep    *lease.Job
	now      func() time.Time
	step     func(name string) error // a test's, called after each step of an upload and of a removal
	due      dueBuckets

	markLife, journalLife time.Duration

	uploads, storedBytes, removed atomic.Int64
	refused                       refusals
}

// New returns a Service. It removes nothing before Run.
func New(options Options) *Service {
	s := &Service{
		options: options, log: options.Log, pictures: cmp.Or(options.Pictures, pictures.New()), now: time.Now, markLife: markLife, journalLife: journalLife, refused: newRefusals(),
		step: func(string) error { return nil },
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	job := func(name string, step func(context.Context, string) (string, bool, error)) *lease.Job {
		return lease.New(lease.Options{Name: name, Redis: options.Redis, Prefix: options.Prefix, Every: lookInterval, Log: s.log, Step: step})
	}
	s.removal, s.sweep = job("files", s.removeSome), job("files-sweep", s.sweepSome)
	return s
}

// Run removes what nothing refers to, until ctx ends. Then it returns nil.
func (s *Service) Run(ctx context.Context) error {
	var running sync.WaitGroup
	running.Go(func() { s.removal.Run(ctx) })
	running.Go(func() { s.sweep.Run(ctx) })
	running.Wait()
	return nil
}

// Check returns an error if the store cannot be used now.
func (s *Service) Check(ctx context.Context) error {
	for _, err := range s.options.Store.List(ctx, "") {
		return err
	}
	return nil
}

// FilesDeleted makes the Service look for files that have lost their message when those of a deletion in the room
// become due. A nil Service does nothing.
func (s *Service) FilesDeleted(room string) {
	if s != nil {
		s.lookLater(streams.Bucket(room), deletionDelay)
	}
}

// MaxPicture returns the maximum size of a picture in bytes.
func (s *Service) MaxPicture() int64 { return s.options.MaxPicture }

// MaxFile returns the maximum size of other files in bytes.
func (s *Service) MaxFile() int64 { return s.options.MaxFile }

// MaxUpload returns the maximum size of any upload in bytes.
func (s *Service) MaxUpload() int64 { return max(s.options.MaxPicture, s.options.MaxFile) }

// Origin returns the origin of the URLs to which downloads are redirected, or "".
func (s *Service) Origin() string { return s.options.Store.Origin() }
