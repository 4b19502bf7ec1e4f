package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"burble/app/tune"
	"burble/streams"

	"github.com/joho/godotenv"
	"github.com/mattn/go-isatty"
	"github.com/redis/go-redis/v9"
)

const (
	// redisWait is how long the start waits for Redis, which may start beside it.
	redisWait = 30 * time.Second
	// miniredisCount bounds a room in the imitation, which searches it from end to end.
	miniredisCount = 1000
)

func main() {
	if err := godotenv.Load(); err != nil && !errors.Is(err, os.ErrNotExist) {
		fmt.Fprintln(os.Stderr, "burble: .env:", err)
		os.Exit(2)
	}
	config, err := ParseConfig(os.Args[1:], os.Getenv)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Print(configUsage())
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "burble:", err)
		os.Exit(2)
	}
	tune.Start(config.TimerSlack)
	log := newLogger(config, os.Stderr)
	redis.SetLogger(redisLog{log})
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go stopOnSignal(stop)
	if err := run(ctx, config, log); err != nil {
		log.Error("burble ends", "error", err)
		os.Exit(1)
	}
}

// stopOnSignal ends the program in good order. A platform may repeat SIGTERM; who
// presses Ctrl-C twice does not want to wait.
func stopOnSignal(stop context.CancelFunc) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	interrupts := 0
	for got := range signals {
		if got == syscall.SIGINT {
			interrupts++
		}
		if interrupts > 1 {
			os.Exit(130)
		}
		stop()
	}
}

// run serves until ctx ends: first Redis, then the store over it, then the server;
// and ends them in the opposite order.
func run(ctx context.Context, config Config, log *slog.Logger) (err error) {
	source, err := openRedis(ctx, config, log)
	if err != nil {
		return err
	}
	defer source.Close()
	log.Info("redis", "is", source.Description)

	var app *App // set before the store runs
	options := storeOptions(config, source, log)
	options.OnStatus = func(away bool) { app.OnStatus(away) }
	store, err := streams.Open(ctx, options)
	if err != nil {
		return explainRedisError(err, config.RedisURL)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	secret := []byte(config.Secret)
	if len(secret) == 0 {
		if secret, err = store.Secret(ctx); err != nil {
			return err
		}
	}
	app = New(config, log, store, secret)

	running, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- store.Run(running) }()
	defer func() { end(); err = errors.Join(err, <-ended) }()

	listener, err := net.Listen("tcp", ":"+strconv.Itoa(config.Port))
	if err != nil {
		return fmt.Errorf("listen on PORT: %w", err)
	}
	log.Info("listening", "url", "http://localhost:"+strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
	go tune.SwitchProcessors(ctx) // not before: app.Serve starts a pump for each processor in use
	return app.Serve(ctx, listener)
}

func storeOptions(config Config, source *redisSource, log *slog.Logger) streams.Options {
	options := streams.Options{
		Redis: source.Options, Prefix: config.RedisPrefix,
		MaxCount: config.HistoryMaxCount, MaxAge: config.HistoryMaxAge,
		Durability: config.Durability,
		Wait:       redisWait, Log: log,
	}
	if source.InProcess && (options.MaxCount == 0 || options.MaxCount > miniredisCount) {
		options.MaxCount = miniredisCount
	}
	return options
}

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

// redisLog takes what go-redis would write to standard error: what of it matters
// comes back as an error too.
type redisLog struct{ log *slog.Logger }

func (r redisLog) Printf(ctx context.Context, format string, args ...any) {
	r.log.DebugContext(ctx, "redis client", "says", fmt.Sprintf(format, args...))
}
