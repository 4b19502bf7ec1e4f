//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"burble/streams"

	"github.com/redis/go-redis/v9"
)

const (
	childStopTime  = 10 * time.Second       // to save, after SIGTERM; then SIGKILL
	childPauseMin  = 100 * time.Millisecond // before the first restart
	childPauseMax  = 10 * time.Second       // before any further
	childWellAfter = time.Minute            // a run this long makes the next pause short again
)

// findRedisServer returns the path of a server to run as a child, or "".
func findRedisServer() string {
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// childRedis is a Redis server of our own. One goroutine, run, starts it, waits for it
// and starts it again should it die; everything else here belongs to whoever made it.
type childRedis struct {
	log     *slog.Logger
	program string
	args    []string
	dataDir string
	lock    *os.File // held open by us and by the server: see lockDataDir
	output  *childOutput

	life   context.Context // ends when the server is to end
	end    context.CancelFunc
	died   chan error    // the first time the server died, for the start to notice
	exited chan struct{} // run has returned
}

// openChildRedis starts program on a Unix socket with its data in DATA_DIR, and
// returns when it answers.
func openChildRedis(ctx context.Context, program string, cfg Config, log *slog.Logger) (*redisSource, error) {
	dataDir, err := filepath.Abs(cfg.DataDir)
	if err != nil {
		return nil, fmt.Errorf("DATA_DIR: %w", err)
	}
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return nil, fmt.Errorf("DATA_DIR: %w", err)
	}
	lock, err := lockDataDir(ctx, dataDir, lockPatience, log)
	if err != nil {
		return nil, err
	}
	socketDir, err := makeSocketDir()
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("directory for the socket of Redis: %w", err)
	}
	socket := filepath.Join(socketDir, "redis.sock")
	child := startChildRedis(program, socket, dataDir, lock, cfg.Durability, log)
	closeAll := sync.OnceFunc(func() {
		child.stop()
		os.RemoveAll(socketDir)
		lock.Close()
	})
	if err := child.waitReady(ctx, socket); err != nil {
		closeAll()
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	return &redisSource{
		Options:  &redis.UniversalOptions{Addrs: []string{socket}},
		Describe: filepath.Base(program) + " as a child of this process, with its data in " + dataDir,
		Close:    closeAll,
	}, nil
}

// startChildRedis starts the goroutine that keeps the server running.
func startChildRedis(program, socket, dataDir string, lock *os.File, durability streams.Durability, log *slog.Logger) *childRedis {
	fsync := "everysec"
	if durability == streams.Disk {
		fsync = "always"
	}
	life, end := context.WithCancel(context.Background())
	child := &childRedis{
		log:     log,
		program: program,
		args: []string{
			"--port", "0", "--unixsocket", socket, "--unixsocketperm", "700",
			"--dir", ".", "--appendonly", "yes", "--appendfsync", fsync, "--save", "",
		},
		dataDir: dataDir,
		lock:    lock,
		output:  &childOutput{log: log},
		life:    life,
		end:     end,
		died:    make(chan error, 1),
		exited:  make(chan struct{}),
	}
	go child.run()
	return child
}

// run keeps the server running until life ends, pausing longer each time it dies.
//
// It keeps its thread to itself: the kernel sends the server the signal of
// endWithParent when the thread that started it ends, and Go ends threads as it likes
// (golang/go#27505).
func (c *childRedis) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(c.exited)
	for pause := childPauseMin; ; pause = min(2*pause, childPauseMax) {
		started := time.Now()
		err := c.command().Run()
		if c.life.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("it ended by itself")
		}
		select {
		case c.died <- err:
		default:
		}
		if time.Since(started) > childWellAfter {
			pause = childPauseMin
		}
		c.log.Error("Redis died and is started again", "error", err, "pause", pause, "said", c.output.last())
		select {
		case <-c.life.Done():
			return
		case <-time.After(pause):
		}
	}
}

// command makes the server's next run.
func (c *childRedis) command() *exec.Cmd {
	cmd := exec.CommandContext(c.life, c.program, c.args...)
	cmd.Dir = c.dataDir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")} // not our SECRET
	cmd.Stdout, cmd.Stderr = c.output, c.output
	cmd.ExtraFiles = []*os.File{c.lock}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = childStopTime
	// A process group of its own: Ctrl-C in the terminal is for us. We may still have
	// messages to store, and end the server when they are.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endWithParent(cmd.SysProcAttr)
	return cmd
}

// stop ends the server and waits until it has ended.
func (c *childRedis) stop() {
	c.end()
	<-c.exited
}

// makeSocketDir makes a fresh directory that only we can enter. The path of a Unix
// socket may have 107 bytes, on some systems 103, and some have long TMPDIRs.
func makeSocketDir() (string, error) {
	dir, err := os.MkdirTemp("", "burble-")
	if err == nil && len(dir)+len("/redis.sock") > 103 {
		os.Remove(dir)
		dir, err = os.MkdirTemp("/tmp", "burble-")
	}
	return dir, err
}
