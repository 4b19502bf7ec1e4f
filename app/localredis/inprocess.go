package localredis

import (
	"crypto/rand"
	"fmt"

	"github.com/alicebob/miniredis/v2"
)

// openInProcess starts miniredis with a random password, because it listens on a local TCP port that
// every user of this machine can reach.
func openInProcess() (*Server, error) {
	server := miniredis.NewMiniRedis()
	password := rand.Text()
	server.RequireAuth(password)
	if err := server.Start(); err != nil {
		return nil, fmt.Errorf("start miniredis: %w", err)
	}
	server.ClockTTL(true) // by default, keys do not expire with time
	return &Server{
		Addr:        server.Addr(),
		Password:    password,
		Description: "miniredis in this process: messages are lost when it ends",
		InProcess:   true,
		close:       server.Close,
	}, nil
}
