//go:build linux

package target

import (
	"context"
	"fmt"
	"log/slog"

	"burble/app/accounts"
	"burble/app/bench/load"
	"burble/app/bench/proc"
	"burble/app/identity"
	"burble/streams"
	"burble/streams/conns"

	"github.com/google/uuid"
)

// privateRooms creates accounts for the users of the workload, and private rooms with all of them as members.
// It returns a function that names the rooms, and the tokens of the users.
func privateRooms(ctx context.Context, r *proc.Redis, w load.Workload) (name func(room int) string, tokens []string, err error) {
	log := slog.New(slog.DiscardHandler)
	store, err := streams.Open(ctx, streams.Options{Redis: &conns.Address{Addrs: []string{r.Socket}}, Log: log})
	if err != nil {
		return nil, nil, err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); store.Run(running) }()
	defer func() { stop(); <-ended; store.Close() }()
	secret, err := store.Secret(ctx)
	if err != nil {
		return nil, nil, err
	}
	people := accounts.New(accounts.Options{Redis: store.Conns(), Secret: secret, Log: log})
	var users []streams.User
	for i := range w.Users {
		guest := identity.User{ID: uuid.NewString(), Name: fmt.Sprint("Account ", i+1)}
		signedIn, err := people.Upgrade(ctx, accounts.SignIn{User: guest, Key: uuid.NewString()})
		if err != nil {
			return nil, nil, fmt.Errorf("create an account: %w", err)
		}
		users, tokens = append(users, streams.User{ID: guest.ID, Name: guest.Name}), append(tokens, signedIn.Token)
	}
	names := make([]string, w.Rooms)
	for i := range names {
		if names[i], err = store.AsRanked(users[0], streams.Account).CreatePrivate(ctx, "Bench", users[1:]); err != nil {
			return nil, nil, err
		}
	}
	return func(room int) string { return names[room] }, tokens, nil
}
