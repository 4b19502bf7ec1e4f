//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package localredis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockTimeout is how long to wait for another process to release the data directory. A server that
// is being replaced needs this time for its last writes.
const lockTimeout = 10 * time.Second

// errDataDirInUse means that another process kept the data directory locked. Two servers that append
// to the same file would corrupt it.
var errDataDirInUse = errors.New("another Burble is using this data directory")

// lockDataDir locks the file "lock" in dataDir. It waits up to timeout for another process to release
// the lock.
//
// The lock belongs to the open file, which the server inherits. It therefore lasts until both this
// process and the server have exited, even if this process is killed while the server is still
// writing.
func lockDataDir(ctx context.Context, dataDir string, timeout time.Duration, log *slog.Logger) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dataDir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	err = tryLock(file)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		log.Info("waiting for another process to release the data directory", "data_dir", dataDir)
		err = waitForLock(ctx, file, timeout)
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("lock data directory %s: %w", dataDir, err)
	}
	return file, nil
}

// waitForLock polls for the lock, because a blocking flock cannot be canceled.
func waitForLock(ctx context.Context, file *os.File, timeout time.Duration) error {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
		if err := tryLock(file); !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
	}
	return errDataDirInUse
}

// tryLock locks the file without blocking. It returns EWOULDBLOCK if the file is already locked.
func tryLock(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
