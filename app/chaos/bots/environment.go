package bots

import (
	"context"
	"math/rand/v2"
	"time"

	"burble/app/chaos/check"
	"burble/app/client"
)

// Environment holds the values that all clients of a phase share.
type Environment struct {
	Servers          []string                        // the addresses of the servers
	Token            string                          // for clients that only read
	Random           func(purpose string) *rand.Rand // random numbers that depend only on the seed and the purpose
	MaxPause         int                             // longest pause of an author, in milliseconds
	MessagesOnly     bool                            // authors send only messages
	Faithful         bool                            // authors never stop retrying
	MayRemoveEntries func(room string) bool          // reports whether faults may remove entries of the room
	MayLose          func(entry check.ID) bool       // reports whether an acknowledged entry may be lost
	Record           Record                          // collects what the clients observe

	// Upload records a file that the user has uploaded to the room, and returns its ID. If it is nil, authors
	// send no files.
	Upload func(ctx context.Context, user, room string) (id string, err error)

	// Repaired is closed when all faults are repaired. Then authors finish, and followers
	// read normally.
	Repaired chan struct{}
}

func (s *Environment) isRepaired() bool {
	select {
	case <-s.Repaired:
		return true
	default:
		return false
	}
}

// waitUnlessRepaired waits until the time has passed, all faults are repaired, or ctx ends.
func (s *Environment) waitUnlessRepaired(ctx context.Context, length time.Duration) {
	select {
	case <-ctx.Done():
	case <-s.Repaired:
	case <-time.After(length):
	}
}

// anyServer returns a client for a random server.
func (s *Environment) anyServer(random *rand.Rand, token string) *client.Server {
	return ServerAt(s.Servers[random.IntN(len(s.Servers))], token)
}

// pause waits until the time has passed or ctx ends.
func pause(ctx context.Context, length time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
}
