//go:build linux

package proc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Process is a child process. The kernel kills it if the bench dies.
type Process struct {
	command *exec.Cmd
	exited  chan struct{} // closed when the process has exited

	mu    sync.Mutex
	lines []string // its last output
}

// maxOutputLines is the number of lines of a process's output that errors contain.
const maxOutputLines = 20

// listeningLine matches the line that a server prints once it listens.
var listeningLine = regexp.MustCompile(`listening\b.*:(\d+)`)

// Start starts a program. Its environment is env and the bench's PATH, without the bench's other variables.
// When the program prints that it listens, the channel receives the port.
func Start(env []string, program string, args ...string) (*Process, <-chan int, error) {
	p := &Process{command: exec.Command(program, args...), exited: make(chan struct{})}
	p.command.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	output, input := io.Pipe()
	p.command.Stdout, p.command.Stderr = input, input
	if err := p.command.Start(); err != nil {
		return nil, nil, fmt.Errorf("start %s: %w", program, err)
	}
	port := make(chan int, 1)
	go p.readOutput(output, port)
	go func() {
		p.command.Wait()
		input.Close()
		close(p.exited)
	}()
	return p, port, nil
}

// readOutput keeps the last lines of output, and finds the port in it.
func (p *Process) readOutput(output io.Reader, port chan<- int) {
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if found := listeningLine.FindStringSubmatch(lines.Text()); found != nil {
			n, _ := strconv.Atoi(found[1])
			select {
			case port <- n:
			default:
			}
		}
		p.mu.Lock()
		p.lines = append(p.lines, lines.Text())
		p.lines = p.lines[max(0, len(p.lines)-maxOutputLines):]
		p.mu.Unlock()
	}
	io.Copy(io.Discard, output) // otherwise the process would block after a line that is too long for the scanner
}

// PID returns the ID of the process.
func (p *Process) PID() int { return p.command.Process.Pid }

// Output returns the last lines that the process printed.
func (p *Process) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, "\n")
}

// Kill kills the process and waits until it has exited.
func (p *Process) Kill() {
	p.command.Process.Kill()
	<-p.exited
}

// StartTimeout is the maximum time until a server listens.
const StartTimeout = 30 * time.Second

// StartServer starts a program, waits until it prints that it listens, and returns its port.
func StartServer(ctx context.Context, env []string, program string, args ...string) (*Process, int, error) {
	p, port, err := Start(env, program, args...)
	if err != nil {
		return nil, 0, err
	}
	select {
	case n := <-port:
		return p, n, nil
	case <-p.exited:
		err = errors.New("it exited")
	case <-time.After(StartTimeout):
		err = fmt.Errorf("it did not listen within %v", StartTimeout)
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.Kill()
	return nil, 0, fmt.Errorf("start %s: %w\n%s", program, err, p.Output())
}

// FreePort returns a port that is currently unused.
func FreePort() (int, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
