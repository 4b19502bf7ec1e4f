package attachments_test

import (
	"errors"
	"testing"

	"burble/streams"
	"burble/streams/redistest"
)

// uploadSteps are the steps of the upload of a picture that has a thumbnail.
var uploadSteps = []string{
	"reserved", "spooled", "processed", "recorded",
	"referenced", "half stored", "stored", "referenced 2", "half stored 2", "stored 2", "added",
}

// removalSteps are the steps of the removal of such a picture.
var removalSteps = []string{"claimed", "marked", "deleted", "marked 2", "deleted 2", "removed"}

func TestUploadsSurviveDeathAtEveryStep(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	for _, step := range uploadSteps {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			backend, folder := redistest.Single(t), t.TempDir()
			f := start(t, backend, openDirectory(t, folder))
			if !runChild(t, backend, folder, "upload", step) {
				t.Fatalf("an upload has no step %q", step)
			}
			f.expectNoLostObject()
			again := f.upload(picture(1)) // as a client that received no response does
			message := f.send(again)
			f.clean()
			f.expectNoLostObject()
			if left := len(f.objects()); left != 2 {
				t.Errorf("the picture and its thumbnail are %d objects, want 2", left)
			}
			f.delete(message)
			f.clean()
			f.expectEmpty()
		})
	}
}

// startAfterRemovalDied starts a service after another process has died at the step of the removal of a picture.
func startAfterRemovalDied(t *testing.T, step string) *fixture {
	t.Helper()
	backend, folder := redistest.Single(t), t.TempDir()
	f := start(t, backend, openDirectory(t, folder))
	f.delete(f.send(f.upload(picture(1))))
	f.makeDue()
	if !runChild(t, backend, folder, "remove", step) {
		t.Fatalf("a removal has no step %q", step)
	}
	return f
}

func TestRemovalSurvivesDeathAtEveryStep(t *testing.T) {
	t.Parallel()
	for _, step := range removalSteps {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			f := startAfterRemovalDied(t, step)
			f.expectNoLostObject()
			f.clean()
			f.expectEmpty()
		})
	}
}

// If a process dies during a removal, the same picture can be uploaded again, before or after the job continues.
func TestUploadsAfterDeathInRemoval(t *testing.T) {
	t.Parallel()
	for _, step := range removalSteps {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			f := startAfterRemovalDied(t, step)
			file, err := f.Upload(ctx, request(picture(1)))
			if err != nil { // the object is marked until the job continues
				f.clean()
				file = f.upload(picture(1))
			}
			f.send(file)
			f.clean()
			f.expectNoLostObject()
			if left := len(f.objects()); left != 2 {
				t.Errorf("the picture and its thumbnail are %d objects, want 2", left)
			}
		})
	}
}

var errStep = errors.New("the step has failed")

func TestUploadsAreUndoneWhenAStepFails(t *testing.T) {
	t.Parallel()
	for _, step := range uploadSteps[:len(uploadSteps)-1] {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			at := newSteps(func(name string) error {
				if name == step {
					return errStep
				}
				return nil
			})
			f := start(t, redistest.Single(t), halfStore{openDirectory(t, t.TempDir()), at})
			f.OnStep(at)
			if file, err := f.Upload(ctx, request(picture(1))); err == nil {
				t.Fatalf("uploaded %+v, want an error", file)
			}
			f.expectEmpty() // at once
			f.OnStep(func(string) error { return nil })
			f.send(f.upload(picture(1)))
			f.clean()
			f.expectNoLostObject()
		})
	}
}

func TestRemovalContinuesAfterAStepHasFailed(t *testing.T) {
	t.Parallel()
	for _, step := range removalSteps {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			f := start(t, redistest.Single(t), openDirectory(t, t.TempDir()))
			f.delete(f.send(f.upload(picture(1))))
			failed := false
			f.OnStep(newSteps(func(name string) error {
				if name == step {
					failed = true
					return errStep
				}
				return nil
			}))
			f.makeDue()
			f.CheckAll()
			f.RemoveSome(ctx)
			if !failed {
				t.Fatalf("a removal has no step %q", step)
			}
			f.OnStep(func(string) error { return nil })
			f.clean()
			f.expectEmpty()
		})
	}
}

// While a server removes an object, no other server does. Otherwise the slower one could remove it after it was stored
// again.
func TestOneServerRemovesAnObject(t *testing.T) {
	t.Parallel()
	backend, folder := redistest.Single(t), t.TempDir()
	f, other := start(t, backend, openDirectory(t, folder)), start(t, backend, openDirectory(t, folder))
	other.SetMarkLifetime(patience)
	file := f.upload([]byte("hello"))
	removed := streams.StoredFile{ID: file.ID, Room: room, Bucket: streams.Bucket(room), Hash: file.Hash}
	f.makeDue()
	f.OnStep(func(name string) error {
		if name != "marked" {
			return nil
		}
		f.makeDue()
		if err := other.RemoveFile(ctx, removed); err == nil || len(f.objects()) != 1 {
			t.Errorf("another server removed the object: %v", err)
		}
		return nil
	})
	if err := f.RemoveFile(ctx, removed); err != nil {
		t.Fatal(err)
	}
	f.expectEmpty()
}
