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
	"referred", "half stored", "stored", "referred 2", "half stored 2", "stored 2", "added",
}

// removalSteps are the steps of its removal after its message was deleted.
var removalSteps = []string{"claimed", "marked", "deleted", "marked 2", "deleted 2", "removed"}

func TestUploadsSurviveDeathAtEveryStep(t *testing.T) {
	t.Parallel()
	for _, step := range uploadSteps {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			backend, folder := redistest.Single(t), t.TempDir()
			w := start(t, backend, openDirectory(t, folder))
			if !runChild(t, backend, folder, "upload", step) {
				t.Fatalf("an upload has no step %q", step)
			}
			w.expectLinks()
			again := w.upload(picture(1)) // what a client does that has had no response
			message := w.send(again)
			w.clean()
			w.expectLinks()
			if left := len(w.objects()); left != 2 {
				t.Errorf("the picture and its thumbnail are %d objects, want 2", left)
			}
			w.delete(message)
			w.clean()
			w.expectEmpty()
		})
	}
}

// startAfterRemovalDied starts a service after another process has died at the step of the removal of a picture.
func startAfterRemovalDied(t *testing.T, step string) *world {
	t.Helper()
	backend, folder := redistest.Single(t), t.TempDir()
	w := start(t, backend, openDirectory(t, folder))
	w.delete(w.send(w.upload(picture(1))))
	w.makeDue()
	if !runChild(t, backend, folder, "remove", step) {
		t.Fatalf("a removal has no step %q", step)
	}
	return w
}

func TestRemovalSurvivesDeathAtEveryStep(t *testing.T) {
	t.Parallel()
	for _, step := range removalSteps {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			w := startAfterRemovalDied(t, step)
			w.expectLinks()
			w.clean()
			w.expectEmpty()
		})
	}
}

// After death in the middle of a removal, the same picture can be uploaded again, before or after the job continues.
func TestUploadsAfterDeathInRemoval(t *testing.T) {
	t.Parallel()
	for _, step := range removalSteps {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			w := startAfterRemovalDied(t, step)
			file, err := w.Upload(ctx, request(picture(1)))
			if err != nil { // the object is marked until the job continues
				w.clean()
				file = w.upload(picture(1))
			}
			w.send(file)
			w.clean()
			w.expectLinks()
			if left := len(w.objects()); left != 2 {
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
			w := start(t, redistest.Single(t), halfStore{openDirectory(t, t.TempDir()), at})
			w.OnStep(at)
			if file, err := w.Upload(ctx, request(picture(1))); err == nil {
				t.Fatalf("uploaded %+v, want an error", file)
			}
			w.expectEmpty() // at once
			w.OnStep(func(string) error { return nil })
			w.send(w.upload(picture(1)))
			w.clean()
			w.expectLinks()
		})
	}
}

func TestRemovalContinuesAfterAStepHasFailed(t *testing.T) {
	t.Parallel()
	for _, step := range removalSteps {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			w := start(t, redistest.Single(t), openDirectory(t, t.TempDir()))
			w.delete(w.send(w.upload(picture(1))))
			failed := false
			w.OnStep(newSteps(func(name string) error {
				if name == step {
					failed = true
					return errStep
				}
				return nil
			}))
			w.makeDue()
			w.LookNow()
			w.RemoveSome(ctx)
			if !failed {
				t.Fatalf("a removal has no step %q", step)
			}
			w.OnStep(func(string) error { return nil })
			w.clean()
			w.expectEmpty()
		})
	}
}

// While a server removes an object, no other server does. Otherwise the slower one could remove it after it was stored
// again.
func TestOneServerRemovesAnObject(t *testing.T) {
	t.Parallel()
	backend, folder := redistest.Single(t), t.TempDir()
	w, other := start(t, backend, openDirectory(t, folder)), start(t, backend, openDirectory(t, folder))
	other.SetMarkLife(patience)
	file := w.upload([]byte("hello"))
	removed := streams.StoredFile{ID: file.ID, Room: room, Bucket: streams.Bucket(room), Hash: file.Hash}
	w.makeDue()
	w.OnStep(func(name string) error {
		if name != "marked" {
			return nil
		}
		w.makeDue()
		if err := other.RemoveFile(ctx, removed); err == nil || len(w.objects()) != 1 {
			t.Errorf("another server removed the object: %v", err)
		}
		return nil
	})
	if err := w.RemoveFile(ctx, removed); err != nil {
		t.Fatal(err)
	}
	w.expectEmpty()
}
