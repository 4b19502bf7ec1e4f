//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package localredis

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	socketName = "redis.sock"
	// socketDirPrefix is the prefix of the directories that makeSocketDir locks. Earlier releases used
	// "burble-" and a number, and no lock.
	socketDirPrefix = "burble-redis-"
	// maxSocketPath is the maximum length of a Unix socket's path on macOS and the BSDs, in bytes. Linux
	// allows 107.
	maxSocketPath = 103
)

// makeSocketDir creates a directory that only this user can enter. It uses /tmp if TMPDIR is too long.
// First it removes the directories of processes that were killed.
//
// lock is the open directory, locked as long as this process or its child has it open.
func makeSocketDir() (dir string, lock *os.File, err error) {
	parent := os.TempDir()
	if len(filepath.Join(parent, socketDirPrefix+"1234567890", socketName)) > maxSocketPath {
		parent = "/tmp"
	}
	removeDeadSocketDirs(parent)
	for {
		if dir, err = os.MkdirTemp(parent, socketDirPrefix); err != nil {
			return "", nil, err
		}
		if lock, err = lockSocketDir(dir); err == nil {
			return dir, lock, nil
		}
		// Another process has removed the new directory, because it was not locked yet.
		if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.EWOULDBLOCK) {
			os.Remove(dir)
			return "", nil, err
		}
	}
}

// lockSocketDir opens and locks a directory. It returns EWOULDBLOCK if its owner is alive, and
// ErrNotExist if the directory has just been removed.
func lockSocketDir(dir string) (*os.File, error) {
	file, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := tryLock(file); err != nil {
		file.Close()
		return nil, err
	}
	locked, err := file.Stat()
	if err == nil {
		var named os.FileInfo
		if named, err = os.Lstat(dir); err == nil && !os.SameFile(locked, named) {
			err = os.ErrNotExist
		}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// removeDeadSocketDirs removes this user's socket directories that no process has locked. Errors
// do not matter: the next start tries again.
func removeDeadSocketDirs(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if !entry.IsDir() || !strings.HasPrefix(entry.Name(), socketDirPrefix) {
			continue
		}
		info, err := entry.Info()
		if err != nil || !isOurs(info) {
			continue
		}
		dir := filepath.Join(parent, entry.Name())
		if lock, err := lockSocketDir(dir); err == nil {
			os.Remove(filepath.Join(dir, socketName))
			os.Remove(dir) // fails if anything else is in it
			lock.Close()
		}
	}
}

// isOurs reports whether only this user can have created the directory's contents.
func isOurs(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid() && info.Mode().Perm() == 0o700
}
