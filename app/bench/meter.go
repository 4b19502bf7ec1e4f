//go:build linux

package main

import (
	"context"
	"os"
	"time"
)

// reading is what the processes have spent up to a moment.
type reading struct {
	at                  time.Time
	server, redis, self time.Duration
	asked               commands
}

// read reads the meters, unless there was an error.
func (s *server) read(ctx context.Context, r *redisServer, err error) (now reading, _ error) {
	if err != nil {
		return now, err
	}
	if now.asked, err = r.commands(ctx); err != nil {
		return now, err
	}
	now.at = time.Now()
	if now.server, err = sumOf(s.pids, cpuTime); err != nil {
		return now, err
	}
	if now.redis, err = sumOf(s.redisPids, cpuTime); err != nil {
		return now, err
	}
	now.self, err = cpuTime(os.Getpid())
	return now, err
}

// spent is what was spent between two readings, by each million of deliveries.
type spent struct {
	Server float64 `json:"server"` // CPU seconds by a million deliveries
	Redis  float64 `json:"redis"`
	Self   float64 `json:"self"` // the bench's own, of all its clients

	RedisMicros float64  `json:"redis_micros"` // CPU by message
	Commands    float64  `json:"commands"`     // of Redis by message, those in scripts included
	Asked       commands `json:"asked"`
}

func (r reading) since(earlier reading, deliveries, messages int64) spent {
	millions := max(1, float64(deliveries)) / 1e6
	count := max(1, float64(messages))
	asked := r.asked.since(earlier.asked)
	return spent{
		Server:      (r.server - earlier.server).Seconds() / millions,
		Redis:       (r.redis - earlier.redis).Seconds() / millions,
		Self:        (r.self - earlier.self).Seconds() / millions,
		RedisMicros: float64((r.redis - earlier.redis).Microseconds()) / count,
		Commands:    float64(asked.sum()) / count,
		Asked:       asked,
	}
}
