package attachments

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"burble/app/blobs"
	"burble/streams"

	"github.com/redis/go-redis/v9"
)

const (
	// filesAtOnce is how many files of a bucket the job reads at once.
	filesAtOnce = 100
	// deletionDelay is slightly longer than the time after which the files of a deleted message become due.
	deletionDelay = 11 * time.Second
	// orphanAge is the minimum age at which the sweep removes an object without references. If Redis loses recent writes, the
	// job restores the references within a day, when it checks the files.
	orphanAge = 48 * time.Hour
	// objectsPerStep is how many objects a step of the sweep checks, and objectsPerCount how many of them one call of
	// countScript counts.
	objectsPerStep, objectsPerCount = 1000, 100
	// maxCorrected is the maximum number of objects for which the sweep corrects the total, for which Redis needs about
	// 10 ms.
	maxCorrected = 50_000
)

// dueBuckets are the buckets that the job should check now.
type dueBuckets struct {
	mu         sync.Mutex
	buckets    map[int]bool
	allChecked time.Time // when the job last checked all of them
}

// checkLater makes the job check the bucket after the delay.
func (s *Service) checkLater(bucket int, delay time.Duration) {
	time.AfterFunc(delay, func() {
		s.due.add(bucket)
		s.removal.Wake()
	})
}

func (d *dueBuckets) add(buckets ...int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.buckets == nil {
		d.buckets = make(map[int]bool)
	}
	for _, bucket := range buckets {
		d.buckets[bucket] = true
	}
}

// take returns the due buckets, and clears them. Once per checkInterval, it returns all buckets.
func (d *dueBuckets) take(now time.Time) (buckets []int, all bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if all = now.Sub(d.allChecked) >= checkInterval-time.Minute; all {
		for bucket := range streams.Buckets {
			buckets = append(buckets, bucket)
		}
		d.allChecked = now
	} else {
		buckets = slices.Sorted(maps.Keys(d.buckets))
	}
	clear(d.buckets)
	return buckets, all
}

// removeSome is the step of the job that removes files without a message, and ends uploads whose process has died.
func (s *Service) removeSome(ctx context.Context, cursor string) (next string, done bool, err error) {
	buckets, all := s.due.take(s.now())
	for i, bucket := range buckets {
		if err := s.removeFrom(ctx, bucket); err != nil {
			s.due.add(buckets[i:]...)
			return cursor, false, err
		}
	}
	if !all {
		return cursor, true, nil
	}
	return cursor, true, s.endUploads(ctx)
}

// removeFrom removes the files of a bucket that are due. A file that cannot be removed is due again later.
func (s *Service) removeFrom(ctx context.Context, bucket int) error {
	for {
		files, err := s.options.Rooms.DueFiles(ctx, bucket, filesAtOnce)
		if err != nil {
			return err
		}
		failed := false
		for _, file := range files {
			err := s.removeFile(ctx, file)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				s.log.Warn("cannot remove a file yet", "error", err)
				failed = true
			}
		}
		if failed {
			s.checkLater(bucket, markLifetime)
		}
		if failed || len(files) < filesAtOnce {
			return nil
		}
	}
}

// removeFile removes a file if no message has it.
func (s *Service) removeFile(ctx context.Context, file streams.StoredFile) error {
	unreferenced, err := s.options.Rooms.ClaimFile(ctx, file)
	if err != nil {
		return fmt.Errorf("claim a file: %w", err)
	}
	if !unreferenced {
		return s.repair(ctx, file)
	}
	if err := s.step("claimed"); err != nil {
		return err
	}
	for _, hash := range hashesOf(file) {
		if err := s.removeReference(ctx, hash, file.ID); err != nil {
			return err
		}
	}
	if err := s.step("removed"); err != nil {
		return err
	}
	if err := s.options.Rooms.RemoveFileRecord(ctx, file); err != nil {
		return fmt.Errorf("remove the record of a file: %w", err)
	}
	return nil
}

// repair restores the references of a file, in case Redis has lost them.
func (s *Service) repair(ctx context.Context, file streams.StoredFile) error {
	has, err := s.options.Rooms.HasFile(ctx, file.Room, file.ID)
	if err != nil || !has {
		return err
	}
	for _, hash := range hashesOf(file) {
		if _, err := s.addReference(ctx, hash, file.ID); err != nil {
			return err
		}
	}
	return nil
}

// hashesOf returns the hashes of the file's objects.
func hashesOf(file streams.StoredFile) []string {
	if file.Thumbnail == "" {
		return []string{file.Hash}
	}
	return []string{file.Hash, file.Thumbnail}
}

// endUploads ends the uploads in the journal whose process must have died.
func (s *Service) endUploads(ctx context.Context) error {
	entries, err := s.endedUploads(ctx)
	if err != nil {
		return err
	}
	for _, e := range entries {
		added, err := s.options.Rooms.HasFile(ctx, e.Room, e.id)
		if err == nil && added {
			err = s.settle(ctx, e, true)
		} else if err == nil {
			err = s.undo(ctx, e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// progress is the cursor of the sweep.
type progress struct {
	began  time.Time // when the current or last sweep began
	isDone bool
	after  string // hash of the last object listed
}

func parseProgress(cursor string) (p progress) {
	fields := strings.Split(cursor, " ")
	if len(fields) != 3 {
		return progress{isDone: true}
	}
	seconds, _ := strconv.ParseInt(fields[0], 10, 64) // only encode writes cursors
	return progress{began: time.Unix(seconds, 0), isDone: fields[1] == "done", after: fields[2]}
}

func (p progress) encode() string {
	state := "at"
	if p.isDone {
		state = "done"
	}
	return fmt.Sprintf("%d %s %s", p.began.Unix(), state, p.after)
}

// sweepSome is the step of the job that compares the store with the references once a day. It removes objects without
// references, adds others to the total unless it includes them, and corrects the total.
func (s *Service) sweepSome(ctx context.Context, cursor string) (next string, done bool, err error) {
	at := parseProgress(cursor)
	if at.isDone {
		// If the last sweep began in the future, the clock of its server was wrong, which must not delay this sweep.
		if since := s.now().Sub(at.began); since >= 0 && since < sweepInterval {
			return cursor, true, nil
		}
		at = progress{began: s.now()}
	}
	var found []blobs.Info
	for info, err := range s.options.Store.List(ctx, at.after) {
		if err != nil {
			return cursor, false, err
		}
		if found = append(found, info); len(found) == objectsPerStep {
			break
		}
	}
	if len(found) > 0 {
		at.after = found[len(found)-1].Hash
		if err := s.count(ctx, found); err != nil {
			return cursor, false, err
		}
		if err := s.removeOrphans(ctx, found); err != nil {
			return cursor, false, err
		}
	}
	if at.isDone = len(found) < objectsPerStep; at.isDone {
		if err := s.correctBytes(ctx); err != nil {
			return cursor, false, err
		}
	}
	return at.encode(), at.isDone, nil
}

// count adds the objects that have references to the total, unless it already includes them.
func (s *Service) count(ctx context.Context, found []blobs.Info) error {
	for some := range slices.Chunk(found, objectsPerCount) {
		keys, args := []string{s.bytesKey(), s.sizesKey()}, make([]any, 0, 2*len(some))
		for _, info := range some {
			keys, args = append(keys, s.blobKey(info.Hash)), append(args, info.Hash, info.Size)
		}
		err := countScript.Run(ctx, s.options.Redis.Retrying, keys, args...).Err()
		if err != nil && !errors.Is(err, redis.Nil) {
			return asRedisError("count objects", err)
		}
	}
	return nil
}

// removeOrphans removes the objects that are old and have no references.
func (s *Service) removeOrphans(ctx context.Context, found []blobs.Info) error {
	old := slices.DeleteFunc(found, func(info blobs.Info) bool { return s.now().Sub(info.Stored) <= orphanAge })
	if len(old) == 0 {
		return nil
	}
	counts := make([]*redis.IntCmd, len(old))
	_, err := s.options.Redis.Retrying.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i := range old {
			counts[i] = pipe.SCard(ctx, s.blobKey(old[i].Hash))
		}
		return nil
	})
	if err != nil {
		return asRedisError("count references", err)
	}
	for i := range old {
		if counts[i].Val() > 0 {
			continue
		}
		if err := s.removeReference(ctx, old[i].Hash, ""); err != nil && !errors.Is(err, errRemoving) {
			return err
		}
	}
	return nil
}

// correctBytes computes the total in Redis again.
func (s *Service) correctBytes(ctx context.Context) error {
	err := correctScript.Run(ctx, s.options.Redis.Retrying, []string{s.bytesKey(), s.sizesKey(), s.journalKey()}, maxCorrected).Err()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return asRedisError("correct the total size of all objects", err)
}
