// Command app is the Burble server. It reads the configuration, connects the parts, serves until it
// receives SIGTERM or SIGINT, and then drains. With the argument owner, invite or link, it instead prints
// a link that gives someone access. README.md suggests an order in which to read the code.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"burble/app/attachments"
	"burble/app/caller"
	"burble/app/chat"
	"burble/app/identity"
	"burble/app/live"
	"burble/app/pictures"
	"burble/app/tune"
	"burble/app/web"
	"burble/streams"

	"github.com/joho/godotenv"
	"github.com/redis/go-redis/v9"
)

const (
	// redisTimeout is how long the program waits at startup for a Redis that may still be starting.
	redisTimeout = 30 * time.Second
	// miniredisCount bounds the entries per room in miniredis, which reads streams by linear search.
	miniredisCount = 1000
)

func main() {
	if err := loadDotEnv(); err != nil {
		exit(err)
	}
	if isCommand(os.Args[1:]) {
		runCommand(os.Args[1:])
		return
	}
	config, err := ParseConfig(os.Args[1:], os.Getenv)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Print(configUsage())
		return
	}
	if errors.Is(err, errVersion) {
		fmt.Println("burble", version(os.Getenv))
		return
	}
	if err != nil {
		exit(err)
	}
	tune.Start(config.TimerSlack)
	log := newLogger(config, os.Stderr)
	redis.SetLogger(redisLogger{log})
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go stopOnSignal(stop)
	if err := run(ctx, config, log); err != nil {
		log.Error("burble failed", "error", err)
		os.Exit(1)
	}
}

// loadDotEnv adds the settings in the file .env, if it exists, to the environment. It does not replace
// variables that are already set. It is for development, and does nothing if GO_ENV is set.
func loadDotEnv() error {
	if os.Getenv("GO_ENV") != "" {
		return nil
	}
	if err := godotenv.Load(); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf(".env: %w", err)
	}
	return nil
}

// exit prints an error about a setting, or of a command, and ends the program with status 2.
func exit(err error) {
	fmt.Fprintln(os.Stderr, "burble:", err)
	os.Exit(2)
}

// stopOnSignal shuts down gracefully on SIGTERM or SIGINT. A second SIGINT exits at once. A second
// SIGTERM does not, because some platforms repeat it.
func stopOnSignal(stop context.CancelFunc) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	interrupts := 0
	for received := range signals {
		if received == syscall.SIGINT {
			interrupts++
		}
		if interrupts > 1 {
			os.Exit(130) // the status that shells report for SIGINT: 128 + 2
		}
		stop()
	}
}

// run serves until ctx ends. It starts Redis, the store and the server, and stops them in reverse
// order.
func run(ctx context.Context, config Config, log *slog.Logger) (err error) {
	log.Info("starting burble", "version", version(os.Getenv))
	if err := checkPort(config); err != nil {
		return err
	}
	source, err := openRedis(ctx, config, log)
	if err != nil {
		return err
	}
	defer source.Close()
	log.Info("using Redis", "source", source.Description)

	engine := live.New(live.Options{Log: log})
	options := storeOptions(config, source, log)
	options.OnStatus = engine.SetStatus
	store, err := streams.Open(ctx, options)
	if err != nil {
		return explainRedisError(err, config.RedisURL)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	secret, err := signingSecret(ctx, config, store)
	if err != nil {
		return err
	}
	if config.RateAddress == 0 {
		config.RateBytes, config.RateRooms = 0, 0
	}
	people := newAccounts(config, store, secret, source, log)
	store.Watch(people.AccessKey(), people)
	var files *attachments.Service
	service := chat.New(store, chat.Options{
		Log: log, MessageRate: config.RateMessages, ByteRate: config.RateBytes, RoomRate: config.RateRooms,
		EncodePresent: live.PresentFrame, Directory: people, Secret: secret,
		OnFilesDeleted: func(room string) { files.FilesDeleted(room) },
	})
	processor := pictures.New()
	if files, err = newFiles(config, store, service, processor, log); err != nil {
		return err
	}
	provider, err := newProvider(config, people, log)
	if err != nil {
		return err
	}
	callers := caller.New(caller.Options{Tokens: identity.NewTokens(secret), Accounts: people, TrustedProxy: config.TrustedProxy})
	server := web.New(web.Options{
		Previews: newPreviews(config, secret, service, files, processor, log), Files: files,
		Log: log, Callers: callers, Accounts: people, Provider: provider, ProviderName: providerName(config.OIDCIssuer), Mode: options.Mode, Chat: service, Live: engine, Durability: config.Durability, Version: version(os.Getenv),
		Origins: config.Origins, Hosts: config.Hosts, MetricsToken: config.MetricsToken, SecurityContact: config.SecurityContact, TrustedProxy: config.TrustedProxy,
		RequestRate: config.RateAddress, ConnectionRate: config.RateConnections,
	})
	// Each part runs until all later parts have stopped.
	parts := []func(context.Context) error{store.Run, people.Run, service.Run, engine.Run}
	if files != nil {
		parts = append(parts, runFiles(files, log))
	}
	for _, part := range parts {
		stop := start(context.WithoutCancel(ctx), part)
		defer func() { err = errors.Join(err, stop()) }()
	}

	listener, err := listen(config)
	if err != nil {
		return err
	}
	log.Info("listening", "url", localURL(config, listener))
	logSetup(ctx, people, publicOrigin(config, listener), log)
	return server.Serve(ctx, listener)
}

// start calls f in a new goroutine. stop cancels f's context, waits for f to return, and returns its
// error.
func start(ctx context.Context, f func(context.Context) error) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	result := make(chan error, 1)
	go func() { result <- f(ctx) }()
	return func() error {
		cancel()
		return <-result
	}
}

// signingSecret returns SECRET. If SECRET is empty, it returns the secret in Redis, which all servers
// share.
func signingSecret(ctx context.Context, config Config, store *streams.Store) ([]byte, error) {
	if config.Secret != "" {
		return []byte(config.Secret), nil
	}
	return store.Secret(ctx)
}

// modes maps the values of ACCESS to modes.
var modes = map[string]streams.Mode{accessOpen: streams.Anyone, accessRead: streams.AccountsPost, accessMembers: streams.AccountsOnly}

func storeOptions(config Config, source *redisSource, log *slog.Logger) streams.Options {
	options := streams.Options{
		Redis: source.Address, Prefix: config.RedisPrefix, Mode: modes[config.Access],
		MaxCount: config.HistoryMaxCount, MaxAge: config.HistoryMaxAge,
		Durability: config.Durability,
		Wait:       redisTimeout, Log: log,
	}
	if source.InProcess && (options.MaxCount == 0 || options.MaxCount > miniredisCount) {
		options.MaxCount = miniredisCount
	}
	return options
}
