package accounts

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/google/uuid"
)

// LinkLifetime is how long a one-time link is valid.
const LinkLifetime = 10 * time.Minute

// CreateLink returns the code of a one-time link that signs in as user. Its address is /l/<code>. The creator, by, must be
// user itself, the Operator, an owner, or a moderator if user is an ordinary member. The link stops working when its
// creator loses this right. Redis has only a MAC of the code.
func (a *Accounts) CreateLink(ctx context.Context, by, user string) (code string, err error) {
	return a.createLink(ctx, by, user, "")
}

// CreateLinkAs is like CreateLink. The creator is the account that is signed in, and the link stops working when the
// session ends. Otherwise, someone who stole a session could use a link after the session has ended.
func (a *Accounts) CreateLinkAs(ctx context.Context, s Session, user string) (code string, err error) {
	return a.createLink(ctx, userOf(s), user, idOf(s))
}

func (a *Accounts) createLink(ctx context.Context, by, user, session string) (code string, err error) {
	if checkUser(user) != nil {
		return "", ErrUnknown
	}
	code = rand.Text()
	_, err = a.run(ctx, linkScript, a.keys.person(user, a.keys.account(by), a.linkKey(code)),
		user, by, LinkLifetime.Milliseconds(), session)
	if err != nil {
		return "", err
	}
	return code, nil
}

func (a *Accounts) linkKey(code string) string {
	return a.keys.of("link", a.macs.stored.text("link", code))
}

// PeekLink returns the account of a link, or ErrCode. It does not spend the link, so the page at the link can call it:
// programs that make link previews fetch that page too.
func (a *Accounts) PeekLink(ctx context.Context, code string) (Account, error) {
	link, err := a.redis.Retrying.HMGet(ctx, a.linkKey(code), "user", "spent").Result()
	if err != nil {
		return Account{}, unavailable(err)
	}
	user, exists := link[0].(string)
	if !exists || link[1] != nil {
		return Account{}, ErrCode
	}
	return a.Account(ctx, user)
}

// SpendLink signs in with a one-time link. If it is called several times with different SignIn.Keys, even concurrently,
// only one call succeeds. The others return ErrCode.
func (a *Accounts) SpendLink(ctx context.Context, code string, s SignIn) (SignedIn, error) {
	key := a.linkKey(code)
	link, err := a.redis.Retrying.HMGet(ctx, key, "user", "by").Result()
	if err != nil {
		return SignedIn{}, unavailable(err)
	}
	text, _ := link[0].(string)
	by, _ := link[1].(string)
	user, err := uuid.Parse(text)
	if err != nil {
		return SignedIn{}, ErrCode
	}
	session, record := a.newSession(user, s, "link", code)
	keys := a.keys.person(userOf(session), key, a.keys.account(by), a.keys.sessions(by))
	reply, err := a.run(ctx, spendLinkScript, keys, userOf(session), idOf(session), encode(record), by)
	if err != nil {
		return SignedIn{}, err
	}
	return a.signedIn(session, reply), nil
}
