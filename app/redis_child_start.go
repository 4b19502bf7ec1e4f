//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	lockPatience  = 10 * time.Second // how long a predecessor may take to save and end
	childPatience = 30 * time.Second // how long the server may take to open its socket
)

// errDataDirInUse is returned when the data directory stays locked: two servers that
// append to the same file would destroy it.
var errDataDirInUse = errors.New("another Burble uses this data directory")

// lockDataDir locks the file "lock" in the directory. The lock goes with the open file,
// and the server is given it too: so it lasts until both of us have ended, even when
// we are killed and the server is still saving. Patience is how long a predecessor has
// to let go.
func lockDataDir(ctx context.Context, dataDir string, patience time.Duration, log *slog.Logger) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dataDir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("DATA_DIR: %w", err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		log.Info("the data directory is in use, waiting for its Redis to end", "data_dir", dataDir)
		err = waitForLock(ctx, file, patience)
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("lock data directory %s: %w", dataDir, err)
	}
	return file, nil
}

// waitForLock tries until its patience runs out. It does not block in flock, because
// nothing could call it back.
func waitForLock(ctx context.Context, file *os.File, patience time.Duration) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
	}
	return errDataDirInUse
}

// waitReady returns when the server answers. It has childPatience to open its socket,
// and then as long as it needs to load its data: a server that is loading is well.
func (c *childRedis) waitReady(ctx context.Context, socket string) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	loading, patience := false, time.After(childPatience)
	for {
		select {
		case err := <-c.died:
			return fmt.Errorf("%w; its last words:\n%s", err, c.output.last())
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-patience:
			return fmt.Errorf("no answer within %v; its last words:\n%s", childPatience, c.output.last())
		case <-tick.C:
		}
		switch pingRedis(socket) {
		case "+PONG":
			return nil
		case "":
		default: // -LOADING
			if !loading {
				loading, patience = true, nil
				tick.Reset(50 * time.Millisecond)
				c.log.Info("Redis is loading its data", "data_dir", c.dataDir)
			}
		}
	}
}

// pingRedis asks once and returns the answer, or "" if there is none.
func pingRedis(socket string) string {
	conn, err := net.DialTimeout("unix", socket, time.Second)
	if err != nil {
		return ""
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return ""
	}
	answer, _ := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSpace(answer)
}

// childOutput takes what the server writes, a line at a time, to the log at debug
// level, and remembers the last lines for the case that it dies.
type childOutput struct {
	log *slog.Logger

	mu    sync.Mutex
	rest  []byte // of a line that has not ended
	lines []string
}

// childLinesKept is how many lines are quoted when the server dies.
const childLinesKept = 8

// Write takes what the server wrote. It never fails.
func (o *childOutput) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rest = append(o.rest, p...)
	for {
		line, rest, ended := bytes.Cut(o.rest, []byte("\n"))
		if !ended {
			return len(p), nil
		}
		o.rest = rest
		if text := strings.TrimSpace(string(line)); text != "" {
			o.log.Debug("Redis says", "line", text)
			o.lines = append(o.lines, text)
			o.lines = o.lines[max(0, len(o.lines)-childLinesKept):]
		}
	}
}

// last returns the last lines.
func (o *childOutput) last() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.lines, "\n")
}
