//go:build linux

package proc

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

	"burble/streams/conns"
)

// Redis is a Redis server for one run, on a Unix socket in a temporary folder.
type Redis struct {
	*Process // nil if another process started it
	folder   string
	Socket   string
	client   conns.Client
	PIDs     []int // processes whose CPU time counts as Redis CPU
}

// ErrNoRedis is returned if neither Redis nor Valkey is installed.
var ErrNoRedis = errors.New("no redis-server or valkey-server in PATH")

// FindRedis returns the path of redis-server or valkey-server, or ErrNoRedis.
func FindRedis() (string, error) {
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNoRedis
}

// StartRedis starts a Redis without persistence and waits until it answers.
func StartRedis(ctx context.Context) (*Redis, error) {
	program, err := FindRedis()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	r := &Redis{folder: folder, Socket: filepath.Join(folder, "redis.sock")}
	r.Process, _, err = Start(nil, program, "--port", "0", "--unixsocket", r.Socket, "--dir", folder,
		"--save", "", "--appendonly", "no", "--maxclients", "20000")
	if err != nil {
		os.RemoveAll(folder)
		return nil, err
	}
	r.client, r.PIDs = connect(r.Socket), []int{r.PID()}
	for began := time.Now(); !r.answers(ctx); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > StartTimeout || ctx.Err() != nil {
			defer r.Stop()
			return nil, fmt.Errorf("Redis does not answer: %s", r.Output())
		}
	}
	return r, nil
}

// answers reports whether Redis answers. It does not connect before the socket exists, because go-redis would log that.
func (r *Redis) answers(ctx context.Context) bool {
	_, err := os.Stat(r.Socket)
	return err == nil && r.client.Ping(ctx).Err() == nil
}

func connect(socket string) conns.Client {
	return conns.Connect(&conns.Address{Addrs: []string{socket}})
}

// ConnectRedis returns a Redis that another process started. pids are the processes of that Redis.
func ConnectRedis(socket string, pids []int) *Redis {
	return &Redis{Socket: socket, client: connect(socket), PIDs: pids}
}

// URL returns the address for REDIS_URL.
func (r *Redis) URL() string { return "unix://" + r.Socket }

// Stop kills a Redis that StartRedis started. It only disconnects from one that another process
// started.
func (r *Redis) Stop() {
	r.client.Close()
	if r.Process != nil {
		r.Kill()
		os.RemoveAll(r.folder)
	}
}

// CommandCounts maps a Redis command to the number of times it ran.
type CommandCounts map[string]int64

// countCommands returns how many times Redis ran each command, from clients and from scripts. It omits
// INFO, which the bench itself sends.
func (r *Redis) countCommands(ctx context.Context) (CommandCounts, error) {
	info, err := r.client.InfoMap(ctx, "commandstats").Result()
	if err != nil {
		return nil, fmt.Errorf("count the commands that Redis ran: %w", err)
	}
	counts := CommandCounts{}
	for name, stats := range info["Commandstats"] {
		calls, _, _ := strings.Cut(strings.TrimPrefix(stats, "calls="), ",")
		n, err := strconv.ParseInt(calls, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("parse the commandstats of %s: %q", name, stats)
		}
		counts[strings.TrimPrefix(name, "cmdstat_")] = n
	}
	delete(counts, "info")
	return counts, nil
}

// since returns the commands that ran after an earlier count.
func (c CommandCounts) since(earlier CommandCounts) CommandCounts {
	difference := maps.Clone(c)
	for name, n := range earlier {
		if difference[name] -= n; difference[name] == 0 {
			delete(difference, name)
		}
	}
	return difference
}

func (c CommandCounts) sum() (sum int64) {
	for _, n := range c {
		sum += n
	}
	return sum
}

// Connections returns the number of connections to Redis, without the bench's own.
func (r *Redis) Connections(ctx context.Context) (int, error) {
	info, err := r.client.InfoMap(ctx, "clients").Result()
	if err != nil {
		return 0, fmt.Errorf("count the connections to Redis: %w", err)
	}
	n, err := strconv.Atoi(info["Clients"]["connected_clients"])
	return n - 1, err
}
