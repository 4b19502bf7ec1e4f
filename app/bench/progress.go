//go:build linux

package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"burble/app/bench/load"
)

// progress is a status line on a terminal, updated twice a second. A nil *progress prints nothing.
type progress struct {
	out  io.Writer
	stop func()

	mu    sync.Mutex
	task  string
	began time.Time
	swarm *load.Swarm
}

// startProgress updates the line until the caller calls stop.
func startProgress(out io.Writer) *progress {
	p := &progress{out: out}
	stop, stopped := make(chan struct{}), make(chan struct{})
	p.stop = func() { close(stop); <-stopped }
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				p.write("")
				return
			case <-time.After(500 * time.Millisecond):
				p.write(p.text())
			}
		}
	}()
	return p
}

// begin shows a new task.
func (p *progress) begin(task string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.task, p.began, p.swarm = task, time.Now(), nil
}

// watch adds the counts of a swarm to the line.
func (p *progress) watch(s *load.Swarm) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.swarm = s
}

func (p *progress) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.task == "" {
		return ""
	}
	text := fmt.Sprintf("%s: %.0f s", p.task, time.Since(p.began).Seconds())
	if p.swarm != nil {
		joined, clients := p.swarm.Joined()
		text += fmt.Sprintf(", %d of %d joined, %d deliveries", joined, clients, p.swarm.Messages())
	}
	return text
}

// clear erases the line before other output.
func (p *progress) clear() {
	if p != nil {
		p.write("")
	}
}

// write replaces the line.
func (p *progress) write(text string) { fmt.Fprintf(p.out, "\r\x1b[K%s", text) }
