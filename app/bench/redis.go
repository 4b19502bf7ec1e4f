//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// redisServer is a Redis of a run's own, on a Unix socket in a temporary folder.
type redisServer struct {
	*child // nil: another process started it
	folder string
	socket string
	client *redis.Client
	pids   []int // whose CPU is counted as that of Redis
}

var errNoRedis = errors.New("the bench needs a redis-server or valkey-server on PATH")

func findRedis() (string, error) {
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNoRedis
}

// startRedis starts a Redis that keeps nothing on disk.
func startRedis(ctx context.Context) (*redisServer, error) {
	program, err := findRedis()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	r := &redisServer{folder: folder, socket: filepath.Join(folder, "redis.sock")}
	r.child, _, err = startChild(nil, program, "--port", "0", "--unixsocket", r.socket, "--dir", folder,
		"--save", "", "--appendonly", "no", "--maxclients", "20000")
	if err != nil {
		os.RemoveAll(folder)
		return nil, err
	}
	r.client, r.pids = redisClient(r.socket), []int{r.pid()}
	for began := time.Now(); r.client.Ping(ctx).Err() != nil; time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > listenTime || ctx.Err() != nil {
			defer r.end()
			return nil, fmt.Errorf("redis does not answer: %s", r.said())
		}
	}
	return r, nil
}

func redisClient(socket string) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: socket, PoolSize: 1, DisableIdentity: true})
}

// redis is the Redis of a run: its own, unless it is a share's.
func (b *bench) redis(ctx context.Context) (*redisServer, error) {
	if b.share == nil {
		return startRedis(ctx)
	}
	return &redisServer{socket: b.share.Redis, client: redisClient(b.share.Redis), pids: b.share.RedisPIDs}, nil
}

func (r *redisServer) url() string { return "unix://" + r.socket }

func (r *redisServer) end() {
	r.client.Close()
	if r.child != nil {
		r.kill()
		os.RemoveAll(r.folder)
	}
}

// commands are how often Redis was asked what.
type commands map[string]int64

// commands counts what Redis was asked, without what the bench asks itself.
func (r *redisServer) commands(ctx context.Context) (commands, error) {
	info, err := r.client.InfoMap(ctx, "commandstats").Result()
	if err != nil {
		return nil, fmt.Errorf("count the commands of redis: %w", err)
	}
	count := commands{}
	for name, stats := range info["Commandstats"] {
		calls, _, _ := strings.Cut(strings.TrimPrefix(stats, "calls="), ",")
		n, err := strconv.ParseInt(calls, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("commandstats of %s: %q", name, stats)
		}
		count[strings.TrimPrefix(name, "cmdstat_")] = n
	}
	delete(count, "info")
	return count, nil
}

// since is what was asked after an earlier count.
func (c commands) since(earlier commands) commands {
	spent := maps.Clone(c)
	for name, n := range earlier {
		if spent[name] -= n; spent[name] == 0 {
			delete(spent, name)
		}
	}
	return spent
}

// sum is how many commands Redis ran: those that clients gave, and those that scripts did.
func (c commands) sum() (sum int64) {
	for _, n := range c {
		sum += n
	}
	return sum
}

// connections is how many Redis has, without the bench's own.
func (r *redisServer) connections(ctx context.Context) (int, error) {
	info, err := r.client.InfoMap(ctx, "clients").Result()
	if err != nil {
		return 0, fmt.Errorf("count the connections of redis: %w", err)
	}
	n, err := strconv.Atoi(info["Clients"]["connected_clients"])
	return n - 1, err
}
