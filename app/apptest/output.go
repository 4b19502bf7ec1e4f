//go:build unix

package apptest

import (
	"bytes"
	"sync"
)

// output collects the output of a process over all its runs.
type output struct {
	mu       sync.Mutex
	text     bytes.Buffer
	runStart int // offset of the current run's output
}

// Write implements io.Writer.
func (o *output) Write(data []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(data)
}

func (o *output) startRun() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.runStart = o.text.Len()
}

// String returns the output of all runs.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// run returns the output of the current run.
func (o *output) run() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text.Bytes()[o.runStart:])
}
