package streams

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"strings"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// reactorList returns the field of the amended hash that lists the user, if the user is one of the
// message's MoreUsers. reactions.lua computes the same field.
func reactorList(message ID, userID string) string {
	sum := sha1.Sum([]byte(userID))
	return message.String() + "/" + hex.EncodeToString(sum[:1])
}

// addOwnReactions moves the user from MoreUsers to Reactions, so that clients can show the user's own
// reactions.
func (s *Store) addOwnReactions(ctx context.Context, granted grant, entries []Entry) error {
	var fields []string
	var crowded []*Entry
	for i := range entries {
		if len(entries[i].MoreUsers) > 0 && granted.user.ID != "" {
			crowded = append(crowded, &entries[i])
			fields = append(fields, reactorList(entries[i].ID, granted.user.ID))
		}
	}
	if len(fields) == 0 {
		return nil
	}
	reply, err := conns.Do(ctx, s.redis, 1, func(pipe redis.Pipeliner) *redis.SliceCmd {
		return pipe.HMGet(ctx, s.keys.amended(granted.room), fields...)
	})
	if err != nil {
		return wrap(err)
	}
	lists := reply.Val()
	for i, entry := range crowded {
		list, _ := lists[i].(string)
		for emoji := range entry.MoreUsers {
			if strings.Contains(list, "\n"+emoji+" "+granted.user.ID+"\n") {
				entry.Reactions[emoji] = append(entry.Reactions[emoji], granted.user.ID)
				entry.MoreUsers[emoji]--
			}
		}
	}
	return nil
}
