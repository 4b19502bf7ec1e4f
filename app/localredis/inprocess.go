package localredis

import (
	"crypto/rand"
	"fmt"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// openInProcess starts miniredis. It listens on a local TCP port, which every user of
// this machine can reach, so it requires a random password.
func openInProcess() (*Server, error) {
	server := miniredis.NewMiniRedis()
	password := rand.Text()
	server.RequireAuth(password)
	if err := server.Start(); err != nil {
		return nil, fmt.Errorf("start miniredis: %w", err)
	}
	server.ClockTTL(true) // by default keys do not expire, for the sake of tests
	return &Server{
		Options:     &redis.UniversalOptions{Addrs: []string{server.Addr()}, Password: password},
		Description: "miniredis in this process: messages are lost when it ends",
		InProcess:   true,
		close:       server.Close,
	}, nil
}
