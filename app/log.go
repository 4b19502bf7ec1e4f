package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/mattn/go-isatty"
)

// newLogger returns a logger that writes to out in the configured format, at the configured level.
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

// redisLogger logs the messages of go-redis at debug level. By default, go-redis prints them to standard
// error. Debug level suffices, because go-redis also returns all important ones as errors.
type redisLogger struct{ log *slog.Logger }

func (r redisLogger) Printf(ctx context.Context, format string, args ...any) {
	r.log.DebugContext(ctx, "redis client", "text", fmt.Sprintf(format, args...))
}
