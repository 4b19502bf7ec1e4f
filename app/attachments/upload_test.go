package attachments_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"burble/app/attachments"
	"burble/app/blobs"
	"burble/app/protocol"
	"burble/streams"
	"burble/streams/redistest"
)

func TestUploadSendDownloadDelete(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, store blobs.Store) {
		redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
			f := start(t, backend, store)
			text := f.upload([]byte("hello"))
			if text.Type != "text/plain" || text.Size != 5 || text.Width != 0 || text.Thumbnail != "" {
				t.Errorf("got %+v, want a text file of 5 bytes", text)
			}
			photo := f.upload(picture(1))
			if photo.Type != "image/png" || photo.Name != "file.png" || photo.Width != 700 || photo.Height != 7 || photo.Color == "" || photo.Thumbnail == "" || photo.ThumbnailType == "" {
				t.Errorf("got %+v, want a PNG of 700 x 7 pixels with a color and a thumbnail", photo)
			}
			message := f.send(text, photo)
			sent, err := f.rooms.As(streams.User{ID: "someone"}).File(ctx, room, message, 1)
			if err != nil || sent != photo {
				t.Errorf("the message has %+v, want %+v: %v", sent, photo, err)
			}
			object, err := f.Open(ctx, attachments.Describe(text, attachments.Version{}))
			if err != nil || string(readAll(t, object)) != "hello" {
				t.Errorf("the download differs from the upload, or failed: %v", err)
			}
			f.delete(message)
			f.makeDue()
			f.CheckAll()
			if err := f.RemoveSome(ctx); err != nil {
				t.Fatal(err)
			}
			f.expectEmpty()
			if _, err := f.Open(ctx, attachments.Describe(text, attachments.Version{})); protocol.AsError(err).Code != protocol.NotFound {
				t.Errorf("after the deletion: %v, want not_found", err)
			}
		})
	})
}

func TestUnsentFilesAreRemoved(t *testing.T) {
	t.Parallel()
	f := start(t, redistest.Single(t), openDirectory(t, t.TempDir()))
	unsent, sent := f.upload(picture(1)), f.upload(picture(2))
	f.send(sent)
	f.clean()
	if left := f.objects(); len(left) != 2 {
		t.Errorf("%d objects are left, want the picture in the message and its thumbnail", len(left))
	}
	f.expectNoLostObject()
	_, err := f.rooms.As(streams.User{ID: ada.ID, Name: ada.Name}).Append(ctx, room, streams.Entry{Kind: streams.Message, Key: "9b2f1c1e-5b0a-4c57-8a55-0d6b2f3f7a10", Files: []streams.File{unsent}})
	if !errors.Is(err, streams.ErrNoFile) {
		t.Errorf("send a removed file: %v, want ErrNoFile", err)
	}
}

func TestSameBytesAreOneObject(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, store blobs.Store) {
		f := start(t, redistest.Single(t), store)
		const copies = 8
		files := make([]streams.File, copies)
		var uploading sync.WaitGroup
		for i := range files {
			uploading.Go(func() { files[i] = f.upload([]byte("the same")) })
		}
		uploading.Wait()
		for i := range files {
			if len(f.objects()) != 1 {
				t.Errorf("%d objects, want 1", len(f.objects()))
			}
			f.expectNoLostObject()
			message := f.send(files[i])
			f.delete(message)
			f.makeDue()
			f.CheckAll()
			if i < copies-1 { // all others are due too, because their time has passed
				f.RemoveFile(ctx, streams.StoredFile{ID: files[i].ID, Room: room, Bucket: streams.Bucket(room), Hash: files[i].Hash})
				continue
			}
			f.clean()
		}
		f.expectEmpty()
	})
}

// If an object is being removed, an upload of the same bytes waits, and then stores them again.
func TestUploadDuringRemovalOfTheSameObject(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"marked", "deleted"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			f := start(t, redistest.Single(t), openDirectory(t, t.TempDir()))
			f.SetMarkLifetime(time.Minute)
			f.delete(f.send(f.upload([]byte("the same"))))
			f.makeDue()
			f.CheckAll()
			uploaded := make(chan streams.File, 1)
			progress := make(chan string, 100)
			f.OnStep(func(name string) error {
				switch name {
				case step:
					go func() { uploaded <- f.upload([]byte("the same")) }()
					if at := <-progress; at != "waiting" {
						t.Errorf("the upload is at step %q, want waiting", at)
					}
				case "waiting", "stored":
					progress <- name
				}
				return nil
			})
			if err := f.RemoveSome(ctx); err != nil {
				t.Fatal(err)
			}
			f.send(<-uploaded)
			f.expectNoLostObject()
			f.clean()
			f.expectNoLostObject()
		})
	}
}

// Uploads, deletions and jobs of several servers handle the same few objects at random.
func TestConcurrentUploadsAndRemovalsLoseNoObjects(t *testing.T) {
	t.Parallel()
	backend, folder := redistest.Single(t), t.TempDir()
	var users sync.WaitGroup
	first := start(t, backend, openDirectory(t, folder))
	for range 3 {
		f := start(t, backend, openDirectory(t, folder))
		f.SetMarkLifetime(time.Minute)
		for seed := range uint64(2) {
			users.Go(func() {
				random := rand.New(rand.NewPCG(seed, 1))
				for range 30 {
					file, err := f.Upload(ctx, request(fmt.Appendf(nil, "content %d", random.IntN(2))))
					if err != nil {
						t.Error(err)
						return
					}
					message := f.send(file)
					if found, err := f.store.Exists(ctx, file.Hash); !found || err != nil {
						t.Errorf("the message refers to an object that does not exist: %v", err)
					}
					f.delete(message)
					f.removeNow(file)
				}
			})
		}
	}
	users.Wait()
	first.clean()
	first.expectEmpty()
}

// removeNow removes a file whose message was deleted, although it is not due yet.
func (f *fixture) removeNow(file streams.File) {
	f.redis.ZRem(ctx, fmt.Sprintf("{%d}:files", streams.Bucket(room)), file.ID)
	for deadline := time.Now().Add(patience); ; {
		err := f.RemoveFile(ctx, streams.StoredFile{ID: file.ID, Room: room, Bucket: streams.Bucket(room), Hash: file.Hash})
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			f.t.Error(err)
			return
		}
	}
}

// unread is a body that fails the test if it is read.
type unread struct{ t *testing.T }

func (r unread) Read([]byte) (int, error) {
	r.t.Error("the body was read")
	return 0, io.EOF
}

func TestRefusedUploads(t *testing.T) {
	t.Parallel()
	truncated := picture(1)[:500]
	large := append(picture(1), make([]byte, 11*mega)...)
	for name, test := range map[string]struct {
		change func(*attachments.Upload)
		unread bool
		code   protocol.Code
	}{
		"empty":                 {func(u *attachments.Upload) { u.Size = 0 }, true, protocol.BadField},
		"too large":             {func(u *attachments.Upload) { u.Size = 25*mega + 1 }, true, protocol.TooLarge},
		"picture too large":     {func(u *attachments.Upload) { u.Size, u.Body = int64(len(large)), bytes.NewReader(large) }, false, protocol.TooLarge},
		"more than the total":   {func(u *attachments.Upload) { u.Size = 21 * mega }, true, protocol.Full},
		"more than the day":     {func(u *attachments.Upload) { u.Size = 16 * mega }, true, protocol.Full},
		"shorter than declared": {func(u *attachments.Upload) { u.Size, u.Body = 10, strings.NewReader("short") }, false, protocol.BadField},
		"long, but too short":   {func(u *attachments.Upload) { u.Size, u.Body = 10_000, strings.NewReader(strings.Repeat("x", 9_000)) }, false, protocol.BadField},
		"a damaged picture":     {func(u *attachments.Upload) { u.Size, u.Body = 500, bytes.NewReader(truncated) }, false, protocol.BadField},
		"not a picture":         {func(u *attachments.Upload) { u.PictureOnly = true }, false, protocol.BadField},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t, redistest.Single(t), openDirectory(t, t.TempDir()), func(o *attachments.Options) { o.MaxTotal, o.MaxDay = 20*mega, 15*mega })
			u := request([]byte("hello"))
			test.change(&u)
			if test.unread {
				u.Body = unread{t}
			}
			_, err := f.Upload(ctx, u)
			if got := attachments.AsError(err); err == nil || got.Code != test.code {
				t.Errorf("%v (%v), want %s", err, got, test.code)
			}
			if got := attachments.AsError(err); test.code == protocol.TooLarge && !strings.HasSuffix(got.Message, " MB.") {
				t.Errorf("the message is %q, want a limit in MB", got.Message)
			}
			f.expectEmpty()
			if left := f.redis.Keys(ctx, "{0}:files:day:*").Val(); len(left) > 0 && f.redis.Get(ctx, left[0]).Val() != "0" {
				t.Errorf("%s bytes still count against the day's quota, want 0", f.redis.Get(ctx, left[0]).Val())
			}
			f.upload([]byte("hello"))
		})
	}
}

func TestQuotas(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		f := start(t, backend, openDirectory(t, t.TempDir()), func(o *attachments.Options) { o.MaxTotal, o.MaxDay = 1000, 600 })
		upload := func(change func(*attachments.Upload), content string) error {
			u := request([]byte(content))
			change(&u)
			_, err := f.Upload(ctx, u)
			return err
		}
		guest := func(*attachments.Upload) {}
		account := func(u *attachments.Upload) { u.User.Rank = 1 }
		for i, step := range []struct {
			who     func(*attachments.Upload)
			content string
			ok      bool
		}{
			{guest, strings.Repeat("a", 500), true},
			{guest, strings.Repeat("b", 101), false}, // more than 600 a day
			{guest, strings.Repeat("b", 100), true},
			{func(u *attachments.Upload) { u.User.ID = "another guest" }, "c", false}, // at the same address
			{account, strings.Repeat("a", 400), true},                                 // an account counts by itself
			{func(u *attachments.Upload) { u.Address = "192.0.2.2" }, "c", false},     // 1,000 in total
		} {
			err := upload(step.who, step.content)
			if (err == nil) != step.ok || err != nil && attachments.AsError(err).Code != protocol.Full {
				t.Errorf("upload %d: %v, want success: %v", i, err, step.ok)
			}
		}
		f.clean()
		f.expectEmpty()
		f.SetClock(func() time.Time { return time.Now().Add(24 * time.Hour) })
		if err := upload(guest, strings.Repeat("a", 600)); err != nil {
			t.Errorf("upload on the next day: %v", err)
		}
	})
}
