//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package localredis

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestSocketDirsOfKilledProcessesAreRemoved(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	make := func() (string, *os.File) {
		dir, lock, err := makeSocketDir()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, socketName), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return dir, lock
	}
	alive, lock := make()
	defer lock.Close()
	dead, lock := make()
	lock.Close() // as the kernel does for a process that ends
	kept := []string{alive}
	for name, mode := range map[string]os.FileMode{
		"burble-123": 0o700, "burble-redis-shared": 0o755, "burble-redis-full": 0o700, "another": 0o700,
	} {
		dir := filepath.Join(temp, name)
		if err := os.Mkdir(dir, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "notes"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		kept = append(kept, dir)
	}
	_, lock = make()
	defer lock.Close()
	if _, err := os.Stat(dead); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory of a killed process: got %v, want ErrNotExist", err)
	}
	for _, dir := range kept {
		if _, err := os.Stat(dir); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(alive, socketName)); err != nil {
		t.Errorf("the socket of a live process is gone: %v", err)
	}
}

// Processes that start at once must not remove each other's directories.
func TestConcurrentStartsKeepSocketDirs(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var starting sync.WaitGroup
	for range 8 {
		starting.Go(func() {
			for range 50 {
				dir, lock, err := makeSocketDir()
				if err != nil {
					t.Error(err)
					return
				}
				removeDeadSocketDirs(os.TempDir())
				if _, err := os.Stat(dir); err != nil {
					t.Error(err)
				}
				lock.Close()
			}
		})
	}
	starting.Wait()
}
