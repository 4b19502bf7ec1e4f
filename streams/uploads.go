package streams

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// UploadTTL is how long a file can be sent after its upload.
const UploadTTL = 24 * time.Hour

// CheckUpload returns the error that Append would now return for a message of the user in the room. Call it before reading
// an upload.
func (a Access) CheckUpload(ctx context.Context, room string) error {
	granted, err := a.admit(room, writing)
	if err != nil {
		return err
	}
	return a.store.upload(ctx, granted, nil)
}

// AddFile records a file that the user has uploaded to the room. The user can send it there once, within UploadTTL. AddFile
// returns the same errors as CheckUpload. It returns when the record is as durable as the Options require. It ignores
// file.Alt.
func (a Access) AddFile(ctx context.Context, room string, file File) error {
	granted, err := a.admit(room, writing)
	if err != nil {
		return err
	}
	if !IsFileID(file.ID) {
		return fmt.Errorf("record a file: the ID %q is invalid", file.ID)
	}
	return a.store.upload(ctx, granted, &file)
}

// upload checks whether a user may upload files, and records one unless file is nil.
func (s *Store) upload(ctx context.Context, granted grant, file *File) error {
	bucket := bucketOf(granted.room)
	call := conns.Call{
		Script: uploadScript, Weight: 1,
		Keys: []string{s.keys.meta(granted.room), s.keys.members(granted.room)},
		Args: []any{granted.room, granted.user.ID, granted.rank.name()},
	}
	if file != nil {
		stored := *file
		stored.Alt = ""
		call.Keys = append(call.Keys, s.keys.file(bucket, file.ID), s.keys.files(bucket))
		call.Args = append(call.Args, file.ID, UploadTTL.Milliseconds(),
			"hash", file.Hash, "thumbnail", file.Thumbnail, "size", file.Size, "json", encodeJSON(stored))
	}
	var cmd *redis.Cmd
	var unconfirmed error
	if file == nil {
		cmd = s.redis.RunScript(ctx, call)
	} else {
		cmd, unconfirmed = s.redis.RunDurably(ctx, call)
	}
	reply, err := cmd.Text()
	if refused := refusals[reply]; refused != nil {
		return refused
	}
	if err = cmp.Or(err, unconfirmed); err != nil {
		return fmt.Errorf("upload to room %q: %w", granted.room, wrap(err))
	}
	return nil
}

// PreviewPicture is the number with which File returns the picture of a message's preview.
const PreviewPicture = -1

// File returns file number n of a message, counted from 0, or the picture of its preview if n is PreviewPicture. It
// returns ErrNotFound if there is no such message or file, or if the message was deleted.
func (a Access) File(ctx context.Context, room string, message ID, n int) (File, error) {
	granted, err := a.admit(room, reading)
	if err != nil {
		return File{}, err
	}
	s := a.store
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var member *redis.StringCmd
	found, err := conns.Do(ctx, s.redis, 1, func(pipe redis.Pipeliner) *redis.XMessageSliceCmd {
		read := pipe.XRange(ctx, s.keys.room(granted.room), message.String(), message.String())
		member = s.queryMember(ctx, pipe, granted)
		return read
	})
	if err != nil {
		return File{}, fmt.Errorf("read a file of room %q: %w", room, wrap(err))
	}
	if err := checkMember(member); err != nil {
		return File{}, err
	}
	for _, entry := range parseEntries(found.Val()) {
		switch {
		case n >= 0 && n < len(entry.Files):
			return entry.Files[n], nil
		case n == PreviewPicture && entry.Preview != nil && entry.Preview.File != nil:
			return *entry.Preview.File, nil
		}
	}
	return File{}, ErrNotFound
}

// StoredFile is an uploaded file, whether or not a message has it.
type StoredFile struct {
	ID              string
	Bucket          int
	Room, UserID    string // where and by whom it was uploaded
	Hash, Thumbnail string // the hashes of its objects; Thumbnail may be empty
	Size            int64
}

// Buckets is the number of buckets for DueFiles, which are numbered from 0.
const Buckets = buckets

// Bucket returns the bucket of a room's files.
func Bucket(room string) int { return bucketOf(room) }

const (
	// claimInterval is the time from ClaimFile until a file is due again, if a message has the file. By then, the message may
	// have been trimmed.
	claimInterval = 24 * time.Hour
	// claimTimeout is the time from ClaimFile until an unreferenced file is due again, unless RemoveFileRecord is
	// called.
	claimTimeout = time.Minute
)

// DueFiles returns up to limit files of a bucket that may be unreferenced, because they were uploaded a day ago, their
// message was deleted, or they were last checked a day ago. The caller should call ClaimFile for each.
func (s *Store) DueFiles(ctx context.Context, bucket, limit int) ([]StoredFile, error) {
	due := conns.Call{Script: dueFilesScript, Weight: 1, Keys: []string{s.keys.files(bucket)}, Args: []any{limit}}
	ids, err := s.redis.RunScript(ctx, due).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("list the files that are due: %w", wrap(err))
	}
	if len(ids) == 0 {
		return nil, nil
	}
	records := make([]*redis.SliceCmd, len(ids))
	err = s.redis.Pipeline(ctx, 1+len(ids)/100, func(pipe redis.Pipeliner) {
		for i, id := range ids {
			records[i] = pipe.HMGet(ctx, s.keys.file(bucket, id), "room", "uid", "hash", "thumbnail", "size")
		}
	})
	files := make([]StoredFile, len(ids))
	for i, record := range records {
		if err == nil {
			err = record.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("read the files that are due: %w", wrap(err))
		}
		files[i] = parseStoredFile(bucket, ids[i], record.Val())
	}
	return files, nil
}

func parseStoredFile(bucket int, id string, values []any) StoredFile {
	text := func(i int) string { value, _ := values[i].(string); return value }
	size, _ := strconv.ParseInt(text(4), 10, 64)
	return StoredFile{id, bucket, text(0), text(1), text(2), text(3), size}
}

// ClaimFile reports whether a file is unreferenced: it was not sent in time, or its message was deleted or trimmed. An
// unreferenced file can no longer be sent, even after a failover if the durability is Replica. The caller should delete
// its objects and then call RemoveFileRecord. Otherwise, the file is due again after a minute.
func (s *Store) ClaimFile(ctx context.Context, file StoredFile) (unreferenced bool, err error) {
	if file.Room == "" { // Redis has lost its record
		return false, s.RemoveFileRecord(ctx, file)
	}
	call := conns.Call{
		Script: claimFileScript, Weight: 1,
		Keys: []string{s.keys.file(file.Bucket, file.ID), s.keys.files(file.Bucket), s.keys.room(file.Room)},
		Args: []any{file.ID, claimInterval.Milliseconds(), claimTimeout.Milliseconds()},
	}
	cmd, unconfirmed := s.redis.RunDurably(ctx, call)
	claimed, err := cmd.Int()
	if err = cmp.Or(err, unconfirmed); err != nil {
		return false, fmt.Errorf("claim file %s: %w", file.ID, wrap(err))
	}
	return claimed == 1, nil
}

// RemoveFileRecord removes the record of a file that ClaimFile has claimed.
func (s *Store) RemoveFileRecord(ctx context.Context, file StoredFile) error {
	var deleted, unlisted *redis.IntCmd
	err := s.redis.Pipeline(ctx, 1, func(pipe redis.Pipeliner) {
		deleted = pipe.Del(ctx, s.keys.file(file.Bucket, file.ID))
		unlisted = pipe.ZRem(ctx, s.keys.files(file.Bucket), file.ID)
	})
	if err == nil {
		err = cmp.Or(deleted.Err(), unlisted.Err())
	}
	if err != nil {
		return fmt.Errorf("remove the record of file %s: %w", file.ID, wrap(err))
	}
	return nil
}

// HasFile reports whether AddFile has recorded the file, and ClaimFile has not claimed it.
func (s *Store) HasFile(ctx context.Context, room, id string) (bool, error) {
	fields, err := s.redis.Retrying.HMGet(ctx, s.keys.file(bucketOf(room), id), "room", "removed").Result()
	if err != nil {
		return false, fmt.Errorf("look up file %s: %w", id, wrap(err))
	}
	return fields[0] != nil && fields[1] == nil, nil
}
