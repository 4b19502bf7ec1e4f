package streams_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

// cleaner is a server that removes unreferenced files.
type cleaner struct {
	*testing.T
	redistest.Backend
	store *streams.Store
}

func (c *cleaner) due() map[string]streams.StoredFile {
	c.Helper()
	all := make(map[string]streams.StoredFile)
	for bucket := range streams.Buckets {
		files, err := c.store.DueFiles(context.Background(), bucket, 100)
		if err != nil {
			c.Fatal(err)
		}
		for _, file := range files {
			all[file.ID] = file
		}
	}
	return all
}

// dueIn returns the time until a file is due, or -1 if it is not listed.
func (c *cleaner) dueIn(file streams.File, room string) time.Duration {
	c.Helper()
	score, err := c.Client.ZScore(context.Background(), streams.FilesKey(room), file.ID).Result()
	if err != nil {
		return -1
	}
	return time.Until(time.UnixMilli(int64(score)))
}

// makeDue makes a file due now.
func (c *cleaner) makeDue(file streams.File, room string) {
	c.Helper()
	args := []any{"ZADD", streams.FilesKey(room), "XX", 1, file.ID}
	if err := c.Client.Do(context.Background(), args...).Err(); err != nil {
		c.Fatal(err)
	}
}

// expectClaim makes the file due and claims it.
func (c *cleaner) expectClaim(what string, file streams.File, room string, want bool) {
	c.Helper()
	c.makeDue(file, room)
	found, isDue := c.due()[file.ID]
	if !isDue {
		c.Errorf("%s: the file is not due", what)
		return
	}
	if got, err := c.store.ClaimFile(context.Background(), found); err != nil || got != want {
		c.Errorf("%s: ClaimFile returned %v, %v, want %v", what, got, err, want)
	}
}

func isAbout(got, want time.Duration) bool { return got > want-time.Minute/2 && got <= want }

func TestUnreferencedFilesAreClaimed(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		ctx, by := t.Context(), store.As(ada)
		c := &cleaner{t, backend, store}
		const room = "lobby"
		post(t, store, room, "first")
		sent, unsent, gone := upload(t, by, room, "a"), upload(t, by, room, "b"), upload(t, by, room, "c")
		picture, trimmed, older := upload(t, by, room, "d"), upload(t, by, room, "e"), upload(t, by, room, "f")
		if got := c.dueIn(unsent, room); !isAbout(got, streams.UploadTTL) {
			t.Errorf("an upload is due in %v, want %v", got, streams.UploadTTL)
		}
		if due := c.due(); len(due) != 0 {
			t.Errorf("got due files %v, want none", due)
		}
		message := withFiles("", gone)
		message.Preview = &streams.Preview{URL: "https://example.org/", File: &picture}
		toDelete, err := by.Append(ctx, room, message)
		if err != nil {
			t.Fatal(err)
		}
		toTrim, _ := send(by, room, "", trimmed)
		erased, _ := send(by, room, "", older)
		if _, err := send(by, room, "", sent); err != nil {
			t.Fatal(err)
		}

		c.expectClaim("a file of a message", sent, room, false)
		if got := c.dueIn(sent, room); !isAbout(got, 24*time.Hour) {
			t.Errorf("a file of a message is due in %v, want 24h", got)
		}

		c.expectClaim("an upload that was not sent", unsent, room, true)
		if got := c.dueIn(unsent, room); !isAbout(got, time.Minute) {
			t.Errorf("a claimed file is due in %v, want 1m", got)
		}
		if _, err := send(by, room, "", unsent); !errors.Is(err, streams.ErrNoFile) {
			t.Errorf("message with a claimed file: got error %v, want ErrNoFile", err)
		}
		c.expectClaim("a claimed file that was not forgotten", unsent, room, true)

		nextMillisecond()
		deletion := streams.Entry{Kind: streams.Delete, Key: uuid.NewString(), Of: toDelete.Cursor.ID}
		if stored, err := by.Append(ctx, room, deletion); err != nil || !stored.HadFiles || stored.Author != (streams.User{}) {
			t.Errorf("deletion: got %+v, %v, want HadFiles", stored, err)
		}
		for what, file := range map[string]streams.File{"a deleted file": gone, "a deleted picture": picture} {
			if got := c.dueIn(file, room); got <= 0 || got > 10*time.Second {
				t.Errorf("%s is due in %v, want at most 10s", what, got)
			}
			c.expectClaim(what, file, room, true)
		}
		if err := backend.Client.XDel(ctx, streams.RoomKey(room), toTrim.Cursor.ID.String(), erased.Cursor.ID.String()).Err(); err != nil {
			t.Fatal(err)
		}
		// XDEL stands for a trim, and for a deletion by an older release, which does not make the files due.
		c.expectClaim("a file of a trimmed message", trimmed, room, true)
		c.expectClaim("a file whose message an older release deleted", older, room, true)

		if err := store.AsRanked(ada, streams.Owner).DeleteRoom(ctx, room); err != nil {
			t.Fatal(err)
		}
		c.expectClaim("a file of a deleted room", sent, room, true)
	})
}

func TestForgottenAndLostFiles(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		ctx, by := t.Context(), store.As(ada)
		c := &cleaner{t, backend, store}
		const room = "lobby"
		unsent := upload(t, by, room, "a")
		c.expectClaim("an upload that was not sent", unsent, room, true)
		c.makeDue(unsent, room)
		found := c.due()[unsent.ID]
		if want := (streams.StoredFile{unsent.ID, streams.Bucket(room), room, ada.ID, unsent.Hash, unsent.Thumbnail, unsent.Size}); found != want {
			t.Errorf("got %+v, want %+v", found, want)
		}
		if err := store.RemoveFileRecord(ctx, found); err != nil {
			t.Fatal(err)
		}
		if all := dump(t, backend); strings.Contains(all, unsent.ID) {
			t.Errorf("Redis still has a forgotten file: %s", all)
		}
		if claimed, err := store.ClaimFile(ctx, found); err != nil || claimed {
			t.Errorf("claim of a forgotten file: got %v, %v, want false", claimed, err)
		}

		// Redis has lost the record.
		lost := upload(t, by, room, "x")
		c.makeDue(lost, room)
		if err := backend.Client.Del(ctx, strings.TrimSuffix(streams.FilesKey(room), "s")+":"+lost.ID).Err(); err != nil {
			t.Fatal(err)
		}
		if claimed, err := store.ClaimFile(ctx, c.due()[lost.ID]); err != nil || claimed || c.dueIn(lost, room) != -1 {
			t.Errorf("claim of a lost file: got %v, %v, want false and the file no longer listed", claimed, err)
		}
	})
}

// If a file is no longer due, because another server has claimed it, a late claim must fail.
func TestClaimFileThatIsNotDue(t *testing.T) {
	t.Parallel()
	backend := redistest.Single(t)
	store := redistest.Open(t, streams.Options{Redis: backend.Redis})
	c := &cleaner{t, backend, store}
	file := upload(t, store.As(ada), "lobby", "a")
	c.makeDue(file, "lobby")
	found := c.due()[file.ID]
	if err := store.As(ada).AddFile(t.Context(), "lobby", file); err != nil { // a repeated call postpones the check
		t.Fatal(err)
	}
	if claimed, err := store.ClaimFile(t.Context(), found); err != nil || claimed {
		t.Errorf("got %v, %v, want false", claimed, err)
	}
	if _, err := send(store.As(ada), "lobby", "", file); err != nil {
		t.Error(err)
	}
}

// If a moderator deletes another user's message, Append reports whether it had files, and who wrote it.
func TestDeletionOfAnothersFiles(t *testing.T) {
	t.Parallel()
	store := redistest.Open(t, streams.Options{Redis: redistest.Single(t).Redis})
	stored, err := send(store.As(ada), "lobby", "", upload(t, store.As(ada), "lobby", "a"))
	if err != nil {
		t.Fatal(err)
	}
	for of, want := range map[streams.ID]streams.Stored{
		stored.Cursor.ID: {HadFiles: true, Author: ada},
		post(t, store, "lobby", "plain").Cursor.ID: {Author: ada},
	} {
		deletion := streams.Entry{Kind: streams.Delete, Key: uuid.NewString(), Of: of}
		got, err := store.AsRanked(bob, streams.Moderator).Append(t.Context(), "lobby", deletion)
		if want.Cursor = got.Cursor; err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
}
