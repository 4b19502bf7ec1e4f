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

// Rooms is the part of chat.Service that a Service needs.
type Rooms interface {
	// AddFile makes the file available to the user for a message in the room.
	AddFile(ctx context.Context, user identity.User, room string, file streams.File) error
	// HasFile reports whether the file was added and is not claimed.
	HasFile(ctx context.Context, room, id string) (bool, error)
	// DueFiles returns up to limit files of a bucket whose message may be gone.
	DueFiles(ctx context.Context, bucket, limit int) ([]streams.StoredFile, error)
	// ClaimFile claims a file for removal, unless a message has it. A claimed file can no longer be sent.
	ClaimFile(ctx context.Context, file streams.StoredFile) (unreferenced bool, err error)
	// RemoveFileRecord removes the record of a claimed file.
	RemoveFileRecord(ctx context.Context, file streams.StoredFile) error
}

// Options configure a Service.
type Options struct {
	Store  blobs.Store
	Rooms  Rooms
	Redis  *conns.Set
	Prefix string // of all keys

	Pictures *pictures.Processor // nil means a new one
	Log      *slog.Logger        // may be nil

	MaxPicture, MaxFile int64 // of one upload, in bytes
	MaxTotal, MaxDay    int64 // of all objects, and of a user's uploads in a day, in bytes; 0 means no limit
}

const (
	// checkInterval is how often a server checks all buckets for files without a message. A deletion wakes the job.
	checkInterval = time.Hour
	// sweepInterval is how often a server compares the store with the references.
	sweepInterval = 24 * time.Hour
)

// Service accepts uploads, serves files, and removes files that are no longer used.
type Service struct {
	options  Options
	log      *slog.Logger
	pictures *pictures.Processor
	removal  *lease.Job
	sweep    *lease.Job
	now      func() time.Time
	step     func(name string) error // a hook for tests, called after each step of an upload or a removal
	due      dueBuckets

	markLifetime, journalLifetime time.Duration

	uploads, storedBytes, removed atomic.Int64
	refused                       refusals
}

// New returns a Service. It removes nothing until Run is called.
func New(options Options) *Service {
	s := &Service{
		options: options, log: options.Log, pictures: cmp.Or(options.Pictures, pictures.New()), now: time.Now, markLifetime: markLifetime, journalLifetime: journalLifetime, refused: newRefusals(),
		step: func(string) error { return nil },
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	job := func(name string, step func(context.Context, string) (string, bool, error)) *lease.Job {
		return lease.New(lease.Options{Name: name, Redis: options.Redis, Prefix: options.Prefix, Every: checkInterval, Log: s.log, Step: step})
	}
	s.removal, s.sweep = job("files", s.removeSome), job("files-sweep", s.sweepSome)
	return s
}

// Run removes unreferenced files and objects until ctx ends. Then it returns nil.
func (s *Service) Run(ctx context.Context) error {
	var running sync.WaitGroup
	running.Go(func() { s.removal.Run(ctx) })
	running.Go(func() { s.sweep.Run(ctx) })
	running.Wait()
	return nil
}

// Check returns an error if the store is unavailable.
func (s *Service) Check(ctx context.Context) error {
	for _, err := range s.options.Store.List(ctx, "") {
		return err
	}
	return nil
}

// FilesDeleted schedules the removal of the files of a message that was deleted in the room. On a nil Service, it
// does nothing.
func (s *Service) FilesDeleted(room string) {
	if s != nil {
		s.checkLater(streams.Bucket(room), deletionDelay)
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
