package accounts

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

const (
	// MaxInviteUses and MaxInviteLifetime are the limits of an invite.
	MaxInviteUses     = 1000
	MaxInviteLifetime = 90 * 24 * time.Hour

	// ownerInviteLifetime is the lifetime of an invite that the operator creates for an owner.
	ownerInviteLifetime = 24 * time.Hour
)

// Invite lets people create an account and, if it has a Room, join that room.
type Invite struct {
	ID      string
	Room    string    // or "" for the server alone
	Role    Role      // in the room, or on the server. For a room, Member or Moderator
	Uses    int       // remaining
	Expiry  time.Time // by Redis's clock. CreateInvite expects it by this server's clock
	By      string    // user ID of the creator, or Operator
	Created time.Time
}

// CreateInvite creates an invite with the Room, Role, Uses and Expiry, and returns its code, for the
// address /i/<code>. The code is signed with the servers' secret and is not stored in Redis.
//
// For a room, the creator needs an account, and the caller must check that they may invite people to
// the room. Without a room, the creator must be a moderator, and for a Role above Member an owner. The
// invite stops working when its creator loses that right. A repeated call with the same key, a UUID,
// returns the same invite.
func (a *Accounts) CreateInvite(ctx context.Context, by, key string, invite Invite) (id, code string, err error) {
	lifetime := invite.Expiry.Sub(a.now())
	if !invite.Role.IsValid() || invite.Room != "" && invite.Role == Owner || invite.Uses < 1 ||
		invite.Uses > MaxInviteUses || lifetime <= 0 || lifetime > MaxInviteLifetime || by != Operator && checkUser(by) != nil {
		return "", "", ErrNotAllowed
	}
	id = newInviteID()
	if uuid.Validate(key) == nil {
		id = inviteIDOf(a.macs.derived.text("invite", by, key))
	}
	_, err = a.run(ctx, inviteScript, a.keys.person(by, a.inviteKey(id), a.keys.of("invites")),
		by, invite.Room, string(invite.Role), invite.Uses, int64(math.Ceil(lifetime.Seconds())), id)
	if err != nil {
		return "", "", err
	}
	return id, a.inviteCode(id), nil
}

// CreateOwnerInvite creates an invite by the operator that makes one person an owner, and returns its code.
func (a *Accounts) CreateOwnerInvite(ctx context.Context) (code string, err error) {
	_, code, err = a.CreateInvite(ctx, Operator, "", Invite{Role: Owner, Uses: 1, Expiry: a.now().Add(ownerInviteLifetime)})
	return code, err
}

// SetupCode returns the code of the invite that makes a person the first owner, for the address
// /setup?code=<code>. It is "" if there is an owner. All servers return the same code.
func (a *Accounts) SetupCode(ctx context.Context) (string, error) {
	id := newInviteID()
	keys := []string{a.keys.of("owners"), a.keys.of("setup"), a.inviteKey(id)}
	id, err := setupScript.Run(ctx, a.redis.Retrying, keys, id).Text()
	if err != nil || id == "" {
		return "", unavailable(err)
	}
	return a.inviteCode(id), nil
}

// newInviteID returns 80 random bits in base32, which are safe in addresses.
func newInviteID() string { return inviteIDOf(rand.Text()) }

func inviteIDOf(text string) string { return text[:16] }

func (a *Accounts) inviteKey(id string) string { return a.keys.of("invite", id) }

func (a *Accounts) inviteCode(id string) string { return id + "." + a.macs.invite.text(id)[:22] }

// inviteID returns the ID of the invite with the code. It rejects a code with a wrong MAC without
// reading Redis, so that replies and timing do not reveal which invites exist.
func (a *Accounts) inviteID(code string) (string, error) {
	id, _, _ := strings.Cut(code, ".")
	if !hmac.Equal([]byte(code), []byte(a.inviteCode(id))) {
		return "", ErrCode
	}
	return id, nil
}

// Invite returns the invite with the code, or ErrCode. It does not spend a use.
func (a *Accounts) Invite(ctx context.Context, code string) (Invite, error) {
	id, err := a.inviteID(code)
	if err != nil {
		return Invite{}, err
	}
	found, now, err := a.invites(ctx, id)
	if err != nil {
		return Invite{}, err
	}
	if len(found) == 0 || found[0].Uses <= 0 || !found[0].isLive(now) {
		return Invite{}, ErrCode
	}
	return found[0], nil
}

func (i Invite) isLive(now time.Time) bool { return i.Expiry.Unix() == 0 || now.Before(i.Expiry) }

// Invites returns the invites that the person may see: the person's own, and for a moderator or an owner also those
// without a room.
func (a *Accounts) Invites(ctx context.Context, user string) ([]Invite, error) {
	account, err := a.Account(ctx, user)
	if err != nil {
		return nil, err
	}
	ids, err := a.redis.Retrying.ZRange(ctx, a.keys.of("invites"), 0, -1).Result()
	if err != nil {
		return nil, unavailable(err)
	}
	all, now, err := a.invites(ctx, ids...)
	var mine []Invite
	for _, invite := range all {
		if invite.isLive(now) && (invite.By == user || invite.Room == "" && account.Role != Member) {
			mine = append(mine, invite)
		}
	}
	return mine, err
}

// invites returns the existing invites among ids, and the current time by Redis's clock, for comparison
// with their Expiry.
func (a *Accounts) invites(ctx context.Context, ids ...string) (found []Invite, now time.Time, err error) {
	var clock *redis.TimeCmd
	fields := make([]*redis.SliceCmd, len(ids))
	err = a.redis.Pipeline(ctx, 1+len(ids)/20, func(pipe redis.Pipeliner) {
		clock = pipe.Time(ctx)
		for i, id := range ids {
			fields[i] = pipe.HMGet(ctx, a.inviteKey(id), "room", "role", "uses", "expiry", "by", "created")
		}
	})
	if err == nil {
		err = clock.Err()
	}
	if err != nil {
		return nil, now, unavailable(err)
	}
	for i, id := range ids {
		if err := fields[i].Err(); err != nil {
			return nil, now, unavailable(err)
		}
		var text [6]string
		for k, value := range fields[i].Val() {
			text[k], _ = value.(string)
		}
		if text[1] == "" {
			continue
		}
		uses, _ := strconv.Atoi(text[2])
		found = append(found, Invite{id, text[0], Role(text[1]), uses, unixTime(text[3]), text[4], unixTime(text[5])})
	}
	return found, clock.Val(), nil
}

// Revoke revokes an invite, and reports whether it existed. The creator may do so and, if the invite has no room, also
// moderators and owners.
func (a *Accounts) Revoke(ctx context.Context, by, id string) (existed bool, err error) {
	if by != Operator && checkUser(by) != nil || id == "" || strings.ContainsAny(id, ":{}") {
		return false, ErrNotAllowed
	}
	reply, err := a.run(ctx, revokeInviteScript, a.keys.person(by, a.inviteKey(id), a.keys.of("invites")), by, id)
	return err == nil && reply[0] == "1", err
}

// Redeemed is the result of redeeming an invite.
type Redeemed struct {
	SignedIn // Token is "" if the person was signed in already

	Room string // to join, or ""
	Role Role   // in the room, or the one that the invite gave on the server
	By   string // the user who created the invite. The caller must check that they may still invite people
	At   time.Time
	// Repeated means that the person had already redeemed the invite, at the time At. If they have left the room or were
	// removed from it since then, or since the invite was Created, the caller must not add them again.
	Repeated bool
	Created  time.Time
	// JoinKey is a UUID for this person and invite. Use it as the idempotency key of the append that adds the person to the
	// room.
	JoinKey string
}

// Redeem creates an account for s.User with the invite, and signs in. A person who redeems an invite several times, even
// with different keys, spends only one use. Redeem returns ErrExists if the guest has an account.
func (a *Accounts) Redeem(ctx context.Context, code string, s SignIn) (Redeemed, error) {
	id, err := a.inviteID(code)
	if err != nil {
		return Redeemed{}, err
	}
	user, name, isGuest, err := a.newUser(s, "invite", id)
	if err != nil {
		return Redeemed{}, err
	}
	session, record := a.newSession(user, s, "invite", id)
	args, err := createArgs(session, encode(record), name, isGuest, s.Passkey)
	if err != nil {
		return Redeemed{}, err
	}
	r, err := a.redeem(ctx, id, session, args)
	if err == nil {
		r.Token = a.Sign(session)
	}
	return r, err
}

// RedeemAs redeems an invite for the account that is signed in. If the invite has no room and a higher
// role than the account, the account gets that role.
func (a *Accounts) RedeemAs(ctx context.Context, code string, s Session) (Redeemed, error) {
	id, err := a.inviteID(code)
	if err != nil {
		return Redeemed{}, err
	}
	return a.redeem(ctx, id, s, []any{userOf(s), idOf(s), "", "", "", "", ""})
}

func (a *Accounts) redeem(ctx context.Context, id string, session Session, args []any) (Redeemed, error) {
	key := a.inviteKey(id)
	by, _, err := optional(a.redis.Retrying.HGet(ctx, key, "by").Result())
	if err != nil {
		return Redeemed{}, err
	}
	keys := a.keys.person(userOf(session), key, key+":redeemed", a.keys.of("setup"), a.keys.account(by))
	reply, err := a.run(ctx, redeemScript, keys, append(args, by)...)
	if err != nil {
		return Redeemed{}, err
	}
	signedIn := a.signedIn(session, reply)
	signedIn.Token = ""
	return Redeemed{
		SignedIn: signedIn, Room: reply[2], Role: Role(reply[3]), By: by, At: unixTime(reply[4]), Repeated: reply[5] == "1", Created: unixTime(reply[6]),
		JoinKey: uuid.UUID(a.macs.derived.id("join", id, userOf(session))).String(),
	}, nil
}
