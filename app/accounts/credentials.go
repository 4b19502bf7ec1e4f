package accounts

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"burble/app/identity"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// Passkey is a passkey of an account. Package passkeys creates and verifies it.
type Passkey struct {
	User   identity.User
	ID     string // of the credential, in base64url
	Record string // JSON of package passkeys
}

// AddPasskey stores a passkey for the account that is signed in. It returns ErrExists if the account already has 20
// passkeys, or if another account has this one.
func (a *Accounts) AddPasskey(ctx context.Context, s Session, passkey *Passkey) error {
	if passkey.User.ID != userOf(s) || passkey.Record == "" {
		return ErrRefused
	}
	_, err := a.run(ctx, passkeyScript, a.keys.person(userOf(s)), userOf(s), idOf(s), passkey.ID, passkey.Record)
	return err
}

// RemovePasskey removes a passkey of the account that is signed in. Sessions that it started remain.
func (a *Accounts) RemovePasskey(ctx context.Context, s Session, id string) error {
	_, err := a.run(ctx, passkeyScript, a.keys.person(userOf(s)), userOf(s), idOf(s), id, "")
	return err
}

// ChangePasskey replaces the record of a passkey of the account that is signed in. If the record differs from old, it
// does nothing and returns false. It returns ErrUnknown if the passkey was removed.
func (a *Accounts) ChangePasskey(ctx context.Context, s Session, id, old, record string) (changed bool, err error) {
	_, err = a.run(ctx, changePasskeyScript, a.keys.person(userOf(s)), userOf(s), idOf(s), id, old, record)
	if errors.Is(err, ErrExists) {
		return false, nil
	}
	return err == nil, err
}

// Passkeys returns the records of a person's passkeys, by ID.
func (a *Accounts) Passkeys(ctx context.Context, user string) (map[string]string, error) {
	all, err := a.redis.Retrying.HGetAll(ctx, a.keys.passkeys(user)).Result()
	return all, unavailable(err)
}

// Passkey returns the record of one passkey, or "" if the person has none with this ID.
func (a *Accounts) Passkey(ctx context.Context, user, id string) (record string, err error) {
	record, _, err = optional(a.redis.Retrying.HGet(ctx, a.keys.passkeys(user), id).Result())
	return record, err
}

// SignInWithPasskey signs in with a verified passkey, and stores its new record. It returns ErrRefused if the passkey has
// been removed. code is the code of the ceremony.
func (a *Accounts) SignInWithPasskey(ctx context.Context, passkey *Passkey, code string, s SignIn) (SignedIn, error) {
	user, err := uuid.Parse(passkey.User.ID)
	if err != nil {
		return SignedIn{}, ErrRefused
	}
	session, record := a.newSession(user, s, "passkey", code)
	return a.signIn(ctx, session, record, passkey.ID, passkey.Record)
}

func (a *Accounts) signIn(ctx context.Context, session Session, record sessionRecord, passkey, passkeyRecord string) (SignedIn, error) {
	reply, err := a.run(ctx, signInScript, a.keys.person(userOf(session)), userOf(session), idOf(session), encode(record), passkey, passkeyRecord)
	if errors.Is(err, ErrUnknown) {
		err = ErrRefused
	}
	if err != nil {
		return SignedIn{}, err
	}
	return a.signedIn(session, reply), nil
}

// Identity is a person at an identity provider. Redis has only MACs of it.
type Identity struct {
	Issuer, Subject string
	SID             string // the session at the provider, if it has an ID
}

func (a *Accounts) subject(i Identity) string {
	return a.macs.stored.text("subject", i.Issuer, i.Subject)
}
func (a *Accounts) sid(i Identity) string { return a.macs.stored.text("sid", i.Issuer, i.SID) }

// SignInWithIdentity signs in a person whom a provider has verified. The first time, it creates an account for s.User.
// code is the code of the ceremony.
func (a *Accounts) SignInWithIdentity(ctx context.Context, who Identity, code string, s SignIn) (SignedIn, error) {
	subject := a.subject(who)
	key := a.keys.of("identity", subject)
	owner, known, err := optional(a.redis.Retrying.Get(ctx, key).Result())
	if err != nil {
		return SignedIn{}, err
	}
	user, name, isGuest, err := a.newUser(s, "identity", code)
	if err != nil {
		return SignedIn{}, err
	}
	for range 2 { // a second time only if another server has just created the account
		if known {
			if user, err = uuid.Parse(owner); err != nil {
				return SignedIn{}, unavailable(err)
			}
		}
		session, record := a.newSession(user, s, "identity", code)
		record.Identity = subject
		if err := a.indexSession(ctx, who, session); err != nil {
			return SignedIn{}, err
		}
		if known {
			return a.signIn(ctx, session, record, "", "")
		}
		args, err := createArgs(session, encode(record), name, isGuest, nil)
		if err != nil {
			return SignedIn{}, err
		}
		reply, err := a.run(ctx, joinScript, a.keys.person(userOf(session), key), append(args, subject)...)
		if err != nil {
			return SignedIn{}, err
		}
		if reply[0] != "known" || len(reply) != 2 || checkUser(reply[1]) != nil {
			return a.signedIn(session, reply), nil
		}
		owner, known = reply[1], true
	}
	return SignedIn{}, ErrUnavailable
}

// indexSession records which session belongs to the provider's session. It must be called before the session starts, so
// that SignOutIdentity finds every session.
func (a *Accounts) indexSession(ctx context.Context, who Identity, session Session) error {
	if who.SID == "" {
		return nil
	}
	key := a.keys.of("provider_session", a.sid(who))
	pipe := a.redis.Retrying.Pipeline()
	pipe.HSet(ctx, key, idOf(session), userOf(session))
	pipe.Expire(ctx, key, SessionLifetime+24*time.Hour)
	_, err := pipe.Exec(ctx)
	return unavailable(err)
}

// SignOutIdentity ends the sessions that were started by the session who.SID at the provider. Without a
// SID, it ends all sessions that the subject started.
func (a *Accounts) SignOutIdentity(ctx context.Context, who Identity) error {
	if who.SID != "" {
		sessions, err := a.redis.Retrying.HGetAll(ctx, a.keys.of("provider_session", a.sid(who))).Result()
		if err != nil {
			return unavailable(err)
		}
		for text, user := range sessions {
			id, err := uuid.Parse(text)
			if err != nil {
				continue
			}
			if err := a.SignOut(ctx, Operator, user, id); err != nil {
				return err
			}
		}
		return nil
	}
	subject := a.subject(who)
	user, known, err := optional(a.redis.Retrying.Get(ctx, a.keys.of("identity", subject)).Result())
	if err != nil || !known {
		return err
	}
	all, err := a.redis.Retrying.HGetAll(ctx, a.keys.sessions(user)).Result()
	if err != nil {
		return unavailable(err)
	}
	var ended []uuid.UUID
	for text, encoded := range all {
		var record sessionRecord
		id, err := uuid.Parse(text)
		if err == nil && json.Unmarshal([]byte(encoded), &record) == nil && record.Identity == subject {
			ended = append(ended, id)
		}
	}
	if len(ended) == 0 { // without IDs, SignOut would end all sessions
		return nil
	}
	return a.SignOut(ctx, Operator, user, ended...)
}

// WasUsed reports whether MarkUsed was called for the token.
func (a *Accounts) WasUsed(ctx context.Context, kind, token string) (bool, error) {
	n, err := a.redis.Retrying.Exists(ctx, a.usedKey(kind, token)).Result()
	return n > 0, unavailable(err)
}

// MarkUsed records that a token of a provider was used. Redis removes the record after lifetime.
func (a *Accounts) MarkUsed(ctx context.Context, kind, token string, lifetime time.Duration) error {
	key := a.usedKey(kind, token)
	var marked *redis.StatusCmd
	err := a.redis.Durable(ctx, 1, key, func(pipe redis.Pipeliner) { marked = pipe.Set(ctx, key, 1, lifetime) })
	if err == nil {
		err = marked.Err()
	}
	return unavailable(err)
}

func (a *Accounts) usedKey(kind, token string) string {
	return a.keys.of("used", kind, a.macs.stored.text("used", kind, token))
}
