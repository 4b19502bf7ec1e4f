//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package localredis

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
)

const (
	stopTimeout     = 10 * time.Second       // between SIGTERM and SIGKILL
	minRestartPause = 100 * time.Millisecond // before the first restart; doubles each time
	maxRestartPause = 10 * time.Second
	stableTime      = time.Minute // after a run longer than this, the pause is reset
)

// findProgram returns the path of the server program to run, or "" if none is on PATH.
func findProgram() string {
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// openChild runs program on a Unix socket with its data in o.DataDir. It returns when the server
// accepts commands.
func openChild(ctx context.Context, program string, o Options) (*Server, error) {
	dataDir, err := filepath.Abs(o.DataDir)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	lock, err := lockDataDir(ctx, dataDir, lockTimeout, o.Log)
	if err != nil {
		return nil, err
	}
	socketDir, dirLock, err := makeSocketDir()
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("socket directory: %w", err)
	}
	socket := filepath.Join(socketDir, socketName)
	c := newChild(program, socket, dataDir, []*os.File{dirLock, lock}, o)
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { c.run(life) })
	closeAll := sync.OnceFunc(func() {
		stop()
		running.Wait()
		os.RemoveAll(socketDir)
		dirLock.Close()
		lock.Close()
	})
	if err := c.waitReady(ctx, socket); err != nil {
		closeAll()
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	return &Server{
		Addr:        socket,
		Description: filepath.Base(program) + " as a child process, with its data in " + dataDir,
		close:       closeAll,
	}, nil
}

// child is a Redis server that run keeps running. Its fields do not change after newChild.
type child struct {
	log     *slog.Logger
	program string
	args    []string
	dataDir string
	locks   []*os.File // the server inherits them: see lockDataDir and makeSocketDir
	output  *output
	died    chan error // why the server first died; waitReady receives it
}

func newChild(program, socket, dataDir string, locks []*os.File, o Options) *child {
	fsync := "everysec"
	if o.FsyncAlways {
		fsync = "always"
	}
	return &child{
		log:     o.Log,
		program: program,
		args: []string{
			"--port", "0", "--unixsocket", socket, "--unixsocketperm", "700",
			"--dir", ".", "--appendonly", "yes", "--appendfsync", fsync, "--save", "",
		},
		dataDir: dataDir,
		locks:   locks,
		output:  &output{log: o.Log},
		died:    make(chan error, 1),
	}
}

// run starts the server and restarts it whenever it dies, until ctx ends. It returns when the server
// has exited.
//
// It locks its thread, because the kernel sends the signal of endWithParent when the thread that
// started the server exits, and Go may end an unlocked thread at any time (golang/go#27505).
func (c *child) run(ctx context.Context) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for pause := minRestartPause; ; pause = min(2*pause, maxRestartPause) {
		started := time.Now()
		err := c.command(ctx).Run()
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("exited with status 0")
		}
		select {
		case c.died <- err:
		default:
		}
		if time.Since(started) > stableTime {
			pause = minRestartPause
		}
		c.log.Error("Redis died; restarting it", "error", err, "pause", pause, "output", c.output.last())
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// command returns the command for one run of the server. It gets SIGTERM when ctx ends.
func (c *child) command(ctx context.Context) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.program, c.args...)
	cmd.Dir = c.dataDir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")} // leaves out SECRET in particular
	cmd.Stdout, cmd.Stderr = c.output, c.output
	cmd.ExtraFiles = c.locks
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopTimeout
	// In its own process group, the server does not receive a terminal's Ctrl-C. Burble may still
	// have messages to store, and stops the server afterwards.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endWithParent(cmd.SysProcAttr)
	return cmd
}
