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

// redisServer is a Redis for one run, on a Unix socket in a temporary folder.
type redisServer struct {
	*process // nil if another process started it
	folder   string
	socket   string
	client   *redis.Client
	pids     []int // whose CPU counts as that of Redis
}

var errNoRedis = errors.New("needs a redis-server or valkey-server on PATH")

func findRedis() (string, error) {
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNoRedis
}

// startRedis starts a Redis without persistence and waits until it answers.
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
	r.process, _, err = startProcess(nil, program, "--port", "0", "--unixsocket", r.socket, "--dir", folder,
		"--save", "", "--appendonly", "no", "--maxclients", "20000")
	if err != nil {
		os.RemoveAll(folder)
		return nil, err
	}
	r.client, r.pids = redisClient(r.socket), []int{r.pid()}
	for began := time.Now(); r.client.Ping(ctx).Err() != nil; time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > startTimeout || ctx.Err() != nil {
			defer r.stop()
			return nil, fmt.Errorf("redis does not answer: %s", r.output())
		}
	}
	return r, nil
}

func redisClient(socket string) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: socket, PoolSize: 1, DisableIdentity: true})
}

// connectRedis returns a Redis that another process started. pids are those whose CPU counts.
func connectRedis(socket string, pids []int) *redisServer {
	return &redisServer{socket: socket, client: redisClient(socket), pids: pids}
}

// url returns the address for REDIS_URL.
func (r *redisServer) url() string { return "unix://" + r.socket }

// stop ends a Redis that startRedis started, and closes the connection to any other.
func (r *redisServer) stop() {
	r.client.Close()
	if r.process != nil {
		r.kill()
		os.RemoveAll(r.folder)
	}
}

// commandCounts maps a Redis command to how often it ran.
type commandCounts map[string]int64

// commandCounts returns how often Redis ran each command, from clients and from scripts,
// without the INFO of the bench.
func (r *redisServer) commandCounts(ctx context.Context) (commandCounts, error) {
	info, err := r.client.InfoMap(ctx, "commandstats").Result()
	if err != nil {
		return nil, fmt.Errorf("count the commands of redis: %w", err)
	}
	counts := commandCounts{}
	for name, stats := range info["Commandstats"] {
		calls, _, _ := strings.Cut(strings.TrimPrefix(stats, "calls="), ",")
		n, err := strconv.ParseInt(calls, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("commandstats of %s: %q", name, stats)
		}
		counts[strings.TrimPrefix(name, "cmdstat_")] = n
	}
	delete(counts, "info")
	return counts, nil
}

// since returns the commands that ran after an earlier count.
func (c commandCounts) since(earlier commandCounts) commandCounts {
	difference := maps.Clone(c)
	for name, n := range earlier {
		if difference[name] -= n; difference[name] == 0 {
			delete(difference, name)
		}
	}
	return difference
}

func (c commandCounts) sum() (sum int64) {
	for _, n := range c {
		sum += n
	}
	return sum
}

// connections returns how many connections Redis has besides the bench's.
func (r *redisServer) connections(ctx context.Context) (int, error) {
	info, err := r.client.InfoMap(ctx, "clients").Result()
	if err != nil {
		return 0, fmt.Errorf("count the connections of redis: %w", err)
	}
	n, err := strconv.Atoi(info["Clients"]["connected_clients"])
	return n - 1, err
}
