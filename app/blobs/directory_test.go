package blobs_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"burble/app/blobs"
)

// Set in the processes that TestKillAtEveryStep starts: the directory, and the step at which the process waits.
const killedRoot, killedStep = "BLOBS_TEST_ROOT", "BLOBS_TEST_STEP"

func TestMain(m *testing.M) {
	if root := os.Getenv(killedRoot); root != "" {
		putUntil(root, os.Getenv(killedStep))
		return
	}
	os.Exit(m.Run())
}

// putUntil stores and then deletes an object. At the step it writes a line, and waits to be killed.
func putUntil(root, step string) {
	store, err := blobs.OpenDirectory(root)
	if err != nil {
		panic(err)
	}
	store.OnStep(func(name string) {
		if name == step {
			os.Stdout.WriteString("x")
			select {}
		}
	})
	blob, err := store.Put(ctx, strings.NewReader("a file"), 100)
	if err != nil {
		panic(err)
	}
	store.Delete(ctx, blob.Hash)
}

func TestKillAtEveryStep(t *testing.T) {
	t.Parallel()
	for step, isStored := range map[string]bool{"created": false, "written": false, "flushed": false, "renamed": true, "removed": false} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			root := filepath.Join(t.TempDir(), "files")
			command := exec.Command(os.Args[0])
			command.Env = append(os.Environ(), killedRoot+"="+root, killedStep+"="+step)
			output, err := command.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := output.Read(make([]byte, 1)); err != nil {
				t.Errorf("the process did not reach the step: %v", err)
			}
			command.Process.Kill()
			command.Wait()

			makeOld(t, filepath.Join(root, "tmp"))
			store, err := blobs.OpenDirectory(root)
			if err != nil {
				t.Fatal(err)
			}
			var found []blobs.Info
			for info, err := range store.List(ctx, "") {
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, info)
			}
			if want := map[bool]int{true: 1}[isStored]; len(found) != want {
				t.Fatalf("the store has %v, want %d objects", found, want)
			}
			if isStored && string(readAll(t, store, found[0].Hash)) != "a file" {
				t.Error("the object is incomplete")
			}
			expectFiles(t, root, len(found))
		})
	}
}

// makeOld sets the times of the files in the folder to two hours ago.
func makeOld(t *testing.T, folder string) {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		old := time.Now().Add(-2 * time.Hour)
		if err := os.Chtimes(filepath.Join(folder, file.Name()), old, old); err != nil {
			t.Fatal(err)
		}
	}
}

// expectFiles checks the number of files under root, and that only their owner may read them.
func expectFiles(t *testing.T, root string, want int) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v, want no access for other users", name, info.Mode())
		}
		if !entry.IsDir() {
			files++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if files != want {
		t.Errorf("the directory has %d files, want %d", files, want)
	}
}

func TestTemporaryFilesInUseStay(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	store, err := blobs.OpenDirectory(root)
	if err != nil {
		t.Fatal(err)
	}
	store.OnStep(func(name string) {
		if name == "written" {
			if _, err := blobs.OpenDirectory(root); err != nil { // another server starts
				t.Error(err)
			}
		}
	})
	blob, err := store.Put(ctx, strings.NewReader("a file"), 100)
	if err != nil {
		t.Fatal(err)
	}
	if string(readAll(t, store, blob.Hash)) != "a file" {
		t.Error("the object is incomplete")
	}
}

func TestPutUpdatesTimeOfStorage(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	store, err := blobs.OpenDirectory(root)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		blob, err := store.Put(ctx, strings.NewReader("a file"), 100)
		if err != nil {
			t.Fatal(err)
		}
		for info := range store.List(ctx, "") {
			if time.Since(info.Stored) > time.Hour {
				t.Errorf("after Put: the time of storage is %v, want now", info.Stored)
			}
		}
		makeOld(t, filepath.Join(root, blob.Hash[:2]))
	}
}
