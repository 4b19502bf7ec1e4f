package accounts

import (
	"context"
	"slices"
	"time"
)

// SetRole changes a person's role. Only owners may do so, and the last owner cannot be demoted.
func (a *Accounts) SetRole(ctx context.Context, by, user string, role Role) error {
	if !role.IsValid() || checkUser(user) != nil {
		return ErrUnknown
	}
	_, err := a.run(ctx, roleScript, a.keys.person(user, a.keys.account(by)), user, by, string(role))
	return err
}

// Ban ends all sessions of a person, who can then no longer sign in. Moderators may ban members and guests. Owners may
// also ban moderators. To ban an owner, demote them first. Only moderators and owners can see the reason.
func (a *Accounts) Ban(ctx context.Context, by, user, reason string) error {
	return a.ban(ctx, by, user, encode(banRecord{By: by, Reason: reason, At: a.now().Unix()}))
}

// Unban ends a ban. The sessions that it ended stay ended.
func (a *Accounts) Unban(ctx context.Context, by, user string) error { return a.ban(ctx, by, user, "") }

// banRecord is a ban in Redis.
type banRecord struct {
	By     string `json:"by"`
	Reason string `json:"reason"`
	At     int64  `json:"at"` // in Unix seconds
}

func (a *Accounts) ban(ctx context.Context, by, user, record string) error {
	if checkUser(user) != nil {
		return ErrUnknown
	}
	_, err := a.run(ctx, banScript, a.keys.person(user, a.keys.account(by)), user, by, record)
	return err
}

// BanInfo describes a ban in a list.
type BanInfo struct {
	User   string // user ID of a guest or an account
	By     string // user ID of the moderator, or Operator
	Reason string
	At     time.Time
}

// Bans returns all bans, latest first.
func (a *Accounts) Bans(ctx context.Context) ([]BanInfo, error) {
	all, err := a.redis.Retrying.HGetAll(ctx, a.keys.of("bans")).Result()
	if err != nil {
		return nil, unavailable(err)
	}
	var bans []BanInfo
	for user, encoded := range all {
		var record banRecord
		if err := decode("a ban", encoded, &record); err != nil {
			return nil, err
		}
		bans = append(bans, BanInfo{user, record.By, record.Reason, time.Unix(record.At, 0)})
	}
	slices.SortFunc(bans, func(a, b BanInfo) int { return b.At.Compare(a.At) })
	return bans, nil
}
