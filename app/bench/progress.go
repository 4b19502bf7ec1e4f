//go:build linux

package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress is a line that says what goes on, written over and over. A nil one is silent.
type progress struct {
	out io.Writer
	end func()

	mu    sync.Mutex
	what  string
	began time.Time
	swarm *swarm
}

// startProgress writes the line twice a second, until it is ended.
func startProgress(out io.Writer) *progress {
	p := &progress{out: out}
	stop, stopped := make(chan struct{}), make(chan struct{})
	p.end = func() { close(stop); <-stopped }
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

// begin begins to tell of something new.
func (p *progress) begin(what string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.what, p.began, p.swarm = what, time.Now(), nil
}

// follow tells of the swarm's messages too.
func (p *progress) follow(s *swarm) {
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
	if p.what == "" {
		return ""
	}
	text := fmt.Sprintf("%s: %.0f s", p.what, time.Since(p.began).Seconds())
	if p.swarm != nil {
		text += fmt.Sprintf(", %d of %d joined, %d deliveries", p.swarm.joinedNow.Load(), len(p.swarm.clients), p.swarm.messages())
	}
	return text
}

// clear makes room for something else.
func (p *progress) clear() {
	if p != nil {
		p.write("")
	}
}

// write writes over the line that is there.
func (p *progress) write(text string) { fmt.Fprintf(p.out, "\r\x1b[K%s", text) }
