package attachments

import (
	"context"
	"errors"
	"time"

	"burble/streams"

	"github.com/redis/go-redis/v9"
)

// OnStep sets a function that is called after each step of an upload and of a removal. If it returns an error, the
// step fails.
func (s *Service) OnStep(do func(name string) error) { s.step = do }

// SetClock sets the clock of the Service.
func (s *Service) SetClock(now func() time.Time) { s.now = now }

// RemoveFile, RemoveSome and SweepSome are steps of the jobs.
func (s *Service) RemoveFile(ctx context.Context, file streams.StoredFile) error {
	return s.removeFile(ctx, file)
}

func (s *Service) RemoveSome(ctx context.Context) error {
	_, _, err := s.removeSome(ctx, "")
	return err
}

func (s *Service) SweepSome(ctx context.Context, cursor string) (string, bool, error) {
	return s.sweepSome(ctx, cursor)
}

// Bytes returns the total size of all objects, plus what uploads in progress have reserved, according to Redis.
func (s *Service) Bytes(ctx context.Context) (int64, error) {
	total, err := s.options.Redis.Retrying.Get(ctx, s.bytesKey()).Int64()
	if errors.Is(err, redis.Nil) {
		return 0, nil
	}
	return total, err
}

// SetMarkLifetime sets the age at which the mark of an object is ignored.
func (s *Service) SetMarkLifetime(lifetime time.Duration) { s.markLifetime = lifetime }

// CheckAll makes the next RemoveSome check all buckets.
func (s *Service) CheckAll() { s.due.allChecked = time.Time{} }

// SetJournalLifetime sets the age at which RemoveSome ends uploads in the journal.
func (s *Service) SetJournalLifetime(lifetime time.Duration) { s.journalLifetime = lifetime }
