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
	// filesPerLook is how many files of a bucket a step of the job looks at.
	filesPerLook = 100
	// deletionDelay is a little longer than it takes the files of a deletion to become due.
	deletionDelay = 11 * time.Second
	// orphanAge is how old an object without references must be before the sweep removes it. If Redis loses its last
	// writes, the job adds references again when it looks at their files, within a day.
	orphanAge = 48 * time.Hour
	// objectsPerStep is how many objects a step of the sweep looks at.
	objectsPerStep = 1000
)

// dueBuckets are the buckets at which the job should look now.
type dueBuckets struct {
	mu       sync.Mutex
	buckets  map[int]bool
	lookedAt time.Time // when the job has last looked at all of them
}

// lookLater makes the job look at the bucket after the delay.
func (s *Service) lookLater(bucket int, delay time.Duration) {
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

// take returns the buckets, and forgets them. Once in lookInterval, these are all.
func (d *dueBuckets) take(now time.Time) (buckets []int, all bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if all = now.Sub(d.lookedAt) >= lookInterval-time.Minute; all {
		for bucket := range streams.Buckets {
			buckets = append(buckets, bucket)
		}
		d.lookedAt = now
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
		files, err := s.options.Rooms.DueFiles(ctx, bucket, filesPerLook)
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
			s.lookLater(bucket, markLife)
		}
		if failed || len(files) < filesPerLook {
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
		if _, err := s.remove(ctx, hash, file.ID); err != nil {
			return err
		}
	}
	if err := s.step("removed"); err != nil {
		return err
	}
	if err := s.options.Rooms.ForgetFile(ctx, file); err != nil {
		return fmt.Errorf("forget a file: %w", err)
	}
	return nil
}

// repair adds the references of a file again, in case Redis has lost them.
func (s *Service) repair(ctx context.Context, file streams.StoredFile) error {
	has, err := s.options.Rooms.HasFile(ctx, file.Room, file.ID)
	if err != nil || !has {
		return err
	}
	for _, hash := range hashesOf(file) {
		if _, err := s.refer(ctx, hash, file.ID); err != nil {
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
	began  time.Time // of the current sweep, or of the last one
	isDone bool
	before int64  // the bytes of all objects at that time, according to Redis
	found  int64  // the bytes of the objects so far
	after  string // the last hash
}

func parseProgress(cursor string) (p progress) {
	fields := strings.Split(cursor, " ")
	if len(fields) != 5 {
		return progress{isDone: true}
	}
	var numbers [3]int64
	for i := range numbers {
		numbers[i], _ = strconv.ParseInt(fields[i], 10, 64) // only encode writes cursors
	}
	return progress{began: time.Unix(numbers[0], 0), before: numbers[1], found: numbers[2], isDone: fields[3] == "done", after: fields[4]}
}

func (p progress) encode() string {
	state := "at"
	if p.isDone {
		state = "done"
	}
	return fmt.Sprintf("%d %d %d %s %s", p.began.Unix(), p.before, p.found, state, p.after)
}

// sweepSome is the step of the job that compares the store with the references once a day. It removes objects without
// references, and corrects the number of their bytes.
func (s *Service) sweepSome(ctx context.Context, cursor string) (next string, done bool, err error) {
	at := parseProgress(cursor)
	if at.isDone {
		// A server whose clock is ahead must not end all sweeps until its time has come.
		if since := s.now().Sub(at.began); since >= 0 && since < sweepInterval {
			return cursor, true, nil
		}
		at = progress{began: s.now()}
		if at.before, err = s.bytes(ctx); err != nil {
			return cursor, false, err
		}
	}
	var old []blobs.Info
	count := 0
	for info, err := range s.options.Store.List(ctx, at.after) {
		if err != nil {
			return cursor, false, err
		}
		at.found, at.after, count = at.found+info.Size, info.Hash, count+1
		if s.now().Sub(info.Stored) > orphanAge {
			old = append(old, info)
		}
		if count == objectsPerStep {
			break
		}
	}
	uncounted, err := s.removeOrphans(ctx, old)
	if err != nil {
		return cursor, false, err
	}
	at.found -= uncounted
	if count < objectsPerStep {
		at.isDone = true
		if err := s.correctBytes(ctx, at); err != nil {
			return cursor, false, err
		}
	}
	return at.encode(), at.isDone, nil
}

// removeOrphans removes those of the objects that have no references. It returns how many bytes they had that were not
// part of the bytes of all objects.
func (s *Service) removeOrphans(ctx context.Context, old []blobs.Info) (uncounted int64, err error) {
	if len(old) == 0 {
		return 0, nil
	}
	counts := make([]*redis.IntCmd, len(old))
	_, err = s.options.Redis.Retrying.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i := range old {
			counts[i] = pipe.SCard(ctx, s.blobKey(old[i].Hash))
		}
		return nil
	})
	if err != nil {
		return 0, asStorageError("count references", err)
	}
	for i := range old {
		if counts[i].Val() > 0 {
			continue
		}
		counted, err := s.remove(ctx, old[i].Hash, "")
		if errors.Is(err, errRemoving) {
			continue
		}
		if err != nil {
			return 0, err
		}
		uncounted += old[i].Size - counted
	}
	return uncounted, nil
}

// bytes returns how many bytes all objects have, according to Redis.
func (s *Service) bytes(ctx context.Context) (int64, error) {
	total, err := s.options.Redis.Retrying.Get(ctx, s.bytesKey()).Int64()
	if errors.Is(err, redis.Nil) {
		return 0, nil
	}
	return total, asStorageError("read the bytes of all objects", err)
}

// correctBytes corrects the bytes of all objects at the end of a sweep. Uploads and removals have changed them since it
// began, so it changes them too.
func (s *Service) correctBytes(ctx context.Context, at progress) error {
	return asStorageError("correct the bytes of all objects", correctScript.Run(ctx, s.options.Redis.Retrying,
		[]string{s.bytesKey(), s.key("files:swept")}, at.began.Unix(), at.found-at.before).Err())
}
