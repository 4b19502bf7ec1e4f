package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/mattn/go-isatty"
)

// newLogger returns a logger that writes to out in the configured format and level.
func newLogger(config Config, out io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: config.LogLevel}
	format := config.LogFormat
	if file, ok := out.(*os.File); format == "" && ok && isatty.IsTerminal(file.Fd()) {
		format = "text"
	}
	if format == "text" {
		return slog.New(slog.NewTextHandler(out, options))
	}
	return slog.New(slog.NewJSONHandler(out, options))
}

// redisLogger receives what go-redis would print to standard error, and logs it at debug
// level: whatever matters is also returned as an error.
type redisLogger struct{ log *slog.Logger }

func (r redisLogger) Printf(ctx context.Context, format string, args ...any) {
	r.log.DebugContext(ctx, "redis client", "text", fmt.Sprintf(format, args...))
}
