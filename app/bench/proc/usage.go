//go:build linux

package proc

import (
	"context"
	"os"
	"time"
)

// Sample is the resource usage of the processes since they started.
type Sample struct {
	server, redis, bench time.Duration // CPU
	commands             CommandCounts
}

// TakeSample reads the CPU time of the server's processes, of its Redis and of this process, and the
// command counts of r.
func TakeSample(ctx context.Context, server, redis []int, r *Redis) (now Sample, err error) {
	if now.commands, err = r.countCommands(ctx); err != nil {
		return now, err
	}
	if now.server, err = sumOf(server, cpuTime); err != nil {
		return now, err
	}
	if now.redis, err = sumOf(redis, cpuTime); err != nil {
		return now, err
	}
	now.bench, err = cpuTime(os.Getpid())
	return now, err
}

// Usage is the resource usage between two samples.
type Usage struct {
	ServerCPU float64 `json:"server"` // seconds per million deliveries
	RedisCPU  float64 `json:"redis"`  // likewise
	BenchCPU  float64 `json:"self"`   // likewise, for the bench with all its clients

	RedisMicros   float64       `json:"redis_micros"` // CPU microseconds of Redis per message
	Commands      float64       `json:"commands"`     // Redis commands per message, including those that scripts ran
	CommandCounts CommandCounts `json:"asked"`
}

// Since returns the usage since an earlier sample. deliveries and messages are the counts between
// the two samples.
func (s Sample) Since(earlier Sample, deliveries, messages int64) Usage {
	millions := max(1, float64(deliveries)) / 1e6
	count := max(1, float64(messages))
	commands := s.commands.since(earlier.commands)
	return Usage{
		ServerCPU:     (s.server - earlier.server).Seconds() / millions,
		RedisCPU:      (s.redis - earlier.redis).Seconds() / millions,
		BenchCPU:      (s.bench - earlier.bench).Seconds() / millions,
		RedisMicros:   float64((s.redis - earlier.redis).Microseconds()) / count,
		Commands:      float64(commands.sum()) / count,
		CommandCounts: commands,
	}
}
