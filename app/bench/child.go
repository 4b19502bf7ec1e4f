//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// child is a process that the bench has started, and ends.
type child struct {
	command *exec.Cmd
	ended   chan struct{} // closed when the process has ended

	mu    sync.Mutex
	lines []string // the last that it wrote
}

// linesKept is how much of what a child wrote is quoted when it fails.
const linesKept = 20

// listening finds the port in what a server writes when it listens.
var listening = regexp.MustCompile(`listening\b.*:(\d+)`)

// startChild starts a program with more environment variables, and nothing of the
// bench's own but PATH.
func startChild(env []string, program string, args ...string) (*child, <-chan int, error) {
	c := &child{command: exec.Command(program, args...), ended: make(chan struct{})}
	c.command.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	c.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	output, input := io.Pipe()
	c.command.Stdout, c.command.Stderr = input, input
	if err := c.command.Start(); err != nil {
		return nil, nil, fmt.Errorf("start %s: %w", program, err)
	}
	port := make(chan int, 1)
	go c.read(output, port)
	go func() {
		c.command.Wait()
		input.Close()
		close(c.ended)
	}()
	return c, port, nil
}

// read keeps what the process writes, and finds the port in it.
func (c *child) read(output io.Reader, port chan<- int) {
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			n, _ := strconv.Atoi(found[1])
			select {
			case port <- n:
			default:
			}
		}
		c.mu.Lock()
		c.lines = append(c.lines, lines.Text())
		c.lines = c.lines[max(0, len(c.lines)-linesKept):]
		c.mu.Unlock()
	}
	io.Copy(io.Discard, output) // a line too long: the process must not wait for us
}

func (c *child) pid() int { return c.command.Process.Pid }

// said is the last that the process wrote.
func (c *child) said() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.lines, "\n")
}

// kill ends the process.
func (c *child) kill() {
	c.command.Process.Kill()
	<-c.ended
}

// listenTime is how long a server may take until it listens.
const listenTime = 30 * time.Second

// startServer starts a program and waits until it says where it listens.
func startServer(ctx context.Context, env []string, program string, args ...string) (*child, int, error) {
	c, port, err := startChild(env, program, args...)
	if err != nil {
		return nil, 0, err
	}
	select {
	case n := <-port:
		return c, n, nil
	case <-c.ended:
		err = errors.New("it ended")
	case <-time.After(listenTime):
		err = errors.New("it does not listen")
	case <-ctx.Done():
		err = ctx.Err()
	}
	c.kill()
	return nil, 0, fmt.Errorf("start %s: %w\n%s", program, err, c.said())
}
