//go:build linux

package proc

import (
	"context"
	"os"
	"time"
)

// Sample is what the processes have used up to one moment.
type Sample struct {
	server, redis, bench time.Duration // CPU
	commands             CommandCounts
}

// TakeSample reads the usage of the processes of a server and of its Redis, and of the bench.
// The commands are those of r.
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

// Usage is what the processes used between two samples.
type Usage struct {
	ServerCPU float64 `json:"server"` // seconds per million deliveries
	RedisCPU  float64 `json:"redis"`  // the same
	BenchCPU  float64 `json:"self"`   // the same, of the bench with all its clients

	RedisMicros   float64       `json:"redis_micros"` // CPU of Redis per message
	Commands      float64       `json:"commands"`     // of Redis per message, including those of scripts
	CommandCounts CommandCounts `json:"asked"`
}

// Since returns what was used after an earlier sample, for so many deliveries and messages.
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
