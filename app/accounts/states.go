package accounts

import (
	"context"
	"encoding/json"
	"fmt"

	"burble/app/accounts/verdicts"
	"burble/app/identity"
	"burble/streams/conns"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// states implements verdicts.Store.
type states Accounts

// ReadStates implements verdicts.Store. It makes one round trip.
func (s *states) ReadStates(ctx context.Context, queries ...verdicts.Query) ([]verdicts.State, error) {
	calls := make([]conns.Call, len(queries))
	for i, query := range queries {
		user := query.User.String()
		args := []any{user}
		for _, session := range query.Sessions {
			args = append(args, session.String())
		}
		calls[i] = conns.Call{Script: verdictScript, Keys: s.keys.person(user), Args: args, Weight: 1}
	}
	replies, err := s.redis.RunScripts(ctx, calls...)
	if err != nil {
		return nil, unavailable(err)
	}
	found := make([]verdicts.State, len(queries))
	for i, query := range queries {
		reply, err := values(replies[i])
		if err != nil {
			return nil, err
		}
		if len(reply) != 4+len(query.Sessions) {
			return nil, unavailable(fmt.Errorf("reply with %d values from verdict.lua", len(reply)))
		}
		found[i] = s.parse(query, reply)
	}
	return found, nil
}

// parse parses a reply of verdict.lua.
func (s *states) parse(query verdicts.Query, reply []string) verdicts.State {
	state := verdicts.State{
		AsOf: reply[0], IsBanned: reply[1] == "1", Role: internRole(reply[3]),
		User: identity.User{ID: query.User.String(), Name: reply[2]},
	}
	for _, encoded := range reply[4:] {
		var record sessionRecord
		err := json.Unmarshal([]byte(encoded), &record)
		live := err == nil && state.Role != "" && !state.IsBanned && record.Expiry > s.now().Unix()
		state.Sessions = append(state.Sessions, verdicts.SessionState{Used: record.Used, IsLive: live})
	}
	return state
}

// internRole returns a constant, so that cached users share its memory.
func internRole(role string) Role {
	for _, known := range []Role{Member, Moderator, Owner} {
		if role == string(known) {
			return known
		}
	}
	return Role(role)
}

// ReadGuest implements verdicts.Store.
func (s *states) ReadGuest(ctx context.Context, user uuid.UUID) error {
	var ended, banned *redis.BoolCmd
	err := s.redis.Pipeline(ctx, 1, func(pipe redis.Pipeliner) {
		ended = pipe.HExists(ctx, s.keys.of("ended_guests"), user.String())
		banned = pipe.HExists(ctx, s.keys.of("bans"), user.String())
	})
	if err == nil {
		err = ended.Err()
	}
	if err == nil {
		err = banned.Err()
	}
	switch {
	case err != nil:
		return unavailable(err)
	case banned.Val():
		return ErrBanned
	case ended.Val():
		return ErrUpgraded
	}
	return nil
}

// ReadEndedGuests implements verdicts.Store.
func (s *states) ReadEndedGuests(ctx context.Context) (ended map[uuid.UUID]bool, asOf string, err error) {
	// Read the ID first, so that the guests are at least as new as asOf.
	last, err := s.redis.Retrying.XRevRangeN(ctx, s.keys.access(), "+", "-", 1).Result()
	if err != nil {
		return nil, "", unavailable(err)
	}
	asOf = "0-0"
	if len(last) > 0 {
		asOf = last[0].ID
	}
	ended = make(map[uuid.UUID]bool)
	for cursor := uint64(0); ; {
		fields, next, err := s.redis.Retrying.HScan(ctx, s.keys.of("ended_guests"), cursor, "", 1000).Result()
		if err != nil {
			return nil, "", unavailable(err)
		}
		for i := 0; i+1 < len(fields); i += 2 {
			if id, err := uuid.Parse(fields[i]); err == nil {
				ended[id] = fields[i+1] == "banned"
			}
		}
		if cursor = next; cursor == 0 {
			return ended, asOf, nil
		}
	}
}
