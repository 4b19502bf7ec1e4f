//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package localredis

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

// maxOutputLines is how many of the last lines of output are logged when the server dies.
const maxOutputLines = 8

// output is an io.Writer for the output of the server. It logs each line at debug level and keeps the
// last maxOutputLines. It is safe for concurrent use.
type output struct {
	log *slog.Logger

	mu      sync.Mutex
	partial []byte // an incomplete line
	lines   []string
}

// Write implements io.Writer. It never fails.
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

// last returns the last complete lines.
func (o *output) last() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.lines, "\n")
}
