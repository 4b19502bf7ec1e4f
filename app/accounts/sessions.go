package accounts

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"burble/app/identity"
	"burble/streams/conns"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// SessionLifetime is how long a session lasts after it was last renewed. See Renew.
const SessionLifetime = identity.TokenLifetime

// maxDevice is the maximum length of the text that describes a device, in bytes.
const maxDevice = 100

// SignIn describes a sign-in. Not every method needs all fields.
type SignIn struct {
	// User is the guest who gets an account and keeps the user ID. The caller must have verified the
	// guest's token. Without an ID, a new user with this Name gets the account, if the name is valid.
	User identity.User
	// Device describes the browser or program, for the list of sessions.
	Device string
	// Key is a random UUID that the client chooses for each sign-in, and keeps secret. If a response was lost, the call can
	// be repeated with the same Key: it returns the same result, and changes nothing more. If Key is empty, or not a UUID,
	// only retries by this package are safe.
	Key string
	// Passkey, if set, is stored together with the new account.
	Passkey *Passkey
}

// SignedIn is a person who has just signed in.
type SignedIn struct {
	User    identity.User
	Role    Role
	Session Session
	Token   string // of the session
}

// sessionRecord is a session in Redis.
type sessionRecord struct {
	Device  string `json:"device"`
	Created int64  `json:"created"` // in Unix seconds
	Used    int64  `json:"used"`    // the day it was last used, in days since 1970
	Expiry  int64  `json:"expiry"`  // in Unix seconds

	Identity string `json:"identity,omitempty"` // MAC of the issuer and the subject, if the person signed in with a provider
}

func dayOf(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

// newSession returns a new session of the user, and its record. It does not store them.
func (a *Accounts) newSession(user uuid.UUID, s SignIn, purpose ...string) (Session, sessionRecord) {
	now := a.now()
	session := Session{
		User: user, ID: a.macs.derived.id(append(purpose, "session", user.String(), s.Key)...),
		Expiry: time.Unix(now.Add(SessionLifetime).Unix(), 0),
	}
	device := strings.ToValidUTF8(s.Device, "")
	for len(device) > maxDevice {
		_, size := utf8.DecodeLastRuneInString(device)
		device = device[:len(device)-size]
	}
	return session, sessionRecord{Device: device, Created: now.Unix(), Used: dayOf(now), Expiry: session.Expiry.Unix()}
}

// newUser returns the user who gets an account, and whether that is a guest. purpose distinguishes requests with the same
// key.
func (a *Accounts) newUser(s SignIn, purpose ...string) (id uuid.UUID, name string, isGuest bool, err error) {
	if s.User.ID != "" {
		if checkUser(s.User.ID) != nil {
			return id, "", false, ErrRefused
		}
		return uuid.MustParse(s.User.ID), s.User.Name, true, nil
	}
	user, err := identity.NewUser(s.User.Name)
	if err != nil {
		return id, "", false, err
	}
	return a.macs.derived.id(append(purpose, "user", s.Key)...), user.Name, false, nil
}

// signedIn returns the result of a script whose reply begins with the name and the role.
func (a *Accounts) signedIn(session Session, reply []string) SignedIn {
	return SignedIn{identity.User{ID: userOf(session), Name: reply[0]}, Role(reply[1]), session, a.Sign(session)}
}

// createArgs returns the arguments of the function create in lib.lua.
func createArgs(session Session, record, name string, isGuest bool, passkey *Passkey) ([]any, error) {
	id, key, guest := "", "", ""
	if passkey != nil {
		if passkey.User.ID != userOf(session) {
			return nil, ErrRefused
		}
		id, key = passkey.ID, passkey.Record
	}
	if isGuest {
		guest = "guest"
	}
	return []any{userOf(session), idOf(session), record, id, key, name, guest}, nil
}

// Upgrade creates an account for the guest s.User, who keeps the user ID, or for a new user if s.User has no ID, and signs
// them in. It returns ErrExists if the guest has or had an account.
func (a *Accounts) Upgrade(ctx context.Context, s SignIn) (SignedIn, error) {
	user, name, isGuest, err := a.newUser(s, "upgrade")
	if err != nil {
		return SignedIn{}, err
	}
	session, record := a.newSession(user, s, "upgrade")
	args, err := createArgs(session, encode(record), name, isGuest, s.Passkey)
	if err != nil {
		return SignedIn{}, err
	}
	reply, err := a.run(ctx, joinScript, a.keys.person(userOf(session)), args...)
	if err != nil {
		return SignedIn{}, err
	}
	return a.signedIn(session, reply), nil
}

// SessionInfo describes one session in a list of sessions.
type SessionInfo struct {
	ID      uuid.UUID
	Device  string
	Created time.Time
	LastDay time.Time // midnight UTC of the day on which it was last used
	Expiry  time.Time
}

// Sessions returns a person's sessions, most recently used first.
func (a *Accounts) Sessions(ctx context.Context, user string) ([]SessionInfo, error) {
	all, err := a.redis.Retrying.HGetAll(ctx, a.keys.sessions(user)).Result()
	if err != nil {
		return nil, unavailable(err)
	}
	var found []SessionInfo
	for text, encoded := range all {
		var record sessionRecord
		id, err := uuid.Parse(text)
		if err != nil || json.Unmarshal([]byte(encoded), &record) != nil || record.Expiry <= a.now().Unix() {
			continue
		}
		found = append(found, SessionInfo{
			id, record.Device, time.Unix(record.Created, 0),
			time.Unix(record.Used*24*60*60, 0).UTC(), time.Unix(record.Expiry, 0),
		})
	}
	slices.SortFunc(found, func(a, b SessionInfo) int {
		if byDay := b.LastDay.Compare(a.LastDay); byDay != 0 {
			return byDay
		}
		return b.Created.Compare(a.Created)
	})
	return found, nil
}

// SignOut ends the given sessions of a person, or all of them if none are given. by is the person, or the moderator who
// ends them.
func (a *Accounts) SignOut(ctx context.Context, by, user string, sessions ...uuid.UUID) error {
	return a.signOut(ctx, by, user, "", sessions...)
}

// SignOutOthers ends all other sessions of the person who is signed in.
func (a *Accounts) SignOutOthers(ctx context.Context, s Session) error {
	return a.signOut(ctx, userOf(s), userOf(s), idOf(s))
}

func (a *Accounts) signOut(ctx context.Context, by, user, keep string, sessions ...uuid.UUID) error {
	if checkUser(user) != nil {
		return ErrUnknown
	}
	args := []any{user, by, keep}
	for _, session := range sessions {
		args = append(args, session.String())
	}
	_, err := a.run(ctx, signOutScript, a.keys.person(user, a.keys.account(by)), args...)
	return err
}

// RecordUse records that the session is used today. Call it for each request. It writes to Redis only once a day.
func (a *Accounts) RecordUse(ctx context.Context, s Session) error {
	if a.LastUsed(s) >= dayOf(a.now()) {
		return nil
	}
	return a.touch(ctx, s, 0)
}

// Renew returns a new token for the session if its token is older than identity.TokenFresh, and "" otherwise.
func (a *Accounts) Renew(ctx context.Context, s Session) (token string, err error) {
	if s.Expiry.Sub(a.now()) >= SessionLifetime-identity.TokenFresh {
		return "", nil
	}
	s.Expiry = time.Unix(a.now().Add(SessionLifetime).Unix(), 0)
	return a.Sign(s), a.touch(ctx, s, s.Expiry.Unix())
}

// touch records that the session is used today and, unless expiry is 0, that it expires later.
func (a *Accounts) touch(ctx context.Context, s Session, expiry int64) error {
	today := dayOf(a.now())
	call := conns.Call{Script: touchScript, Keys: a.keys.person(userOf(s)), Args: []any{userOf(s), idOf(s), today, expiry}, Weight: 1}
	if _, err := readReply(a.redis.RunScript(ctx, call)); err != nil {
		return err
	}
	a.SetUsed(s, today)
	return nil
}

// encode returns the JSON of a record.
func encode(record any) string {
	encoded, err := json.Marshal(record)
	if err != nil {
		panic(err) // unreachable: records have only fields that can be encoded
	}
	return string(encoded)
}

// decode parses the JSON of a record that another release may have written.
func decode(what, encoded string, record any) error {
	if err := json.Unmarshal([]byte(encoded), record); err != nil {
		return unavailable(fmt.Errorf("decode %s: %w", what, err))
	}
	return nil
}

// optional turns redis.Nil into found = false.
func optional(value string, err error) (string, bool, error) {
	if err == redis.Nil {
		return "", false, nil
	}
	return value, err == nil, unavailable(err)
}
