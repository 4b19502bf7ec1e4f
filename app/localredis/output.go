//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package localredis

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

// maxOutputLines is how many lines of output are reported when the server dies.
const maxOutputLines = 8

// output is an io.Writer for what the server prints. It logs each line at debug level and
// keeps the last ones. It is safe for concurrent use.
type output struct {
	log *slog.Logger

	mu      sync.Mutex
	partial []byte // the start of a line that is not complete
	lines   []string
}

// Write never fails.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.partial = append(o.partial, p...)
	for {
		line, rest, complete := bytes.Cut(o.partial, []byte("\n"))
		if !complete {
			return len(p), nil
		}
		o.partial = rest
		if text := strings.TrimSpace(string(line)); text != "" {
			o.log.Debug("Redis output", "line", text)
			o.lines = append(o.lines, text)
			o.lines = o.lines[max(0, len(o.lines)-maxOutputLines):]
		}
	}
}

// last returns the last lines that were complete.
func (o *output) last() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.lines, "\n")
}
