package throttle

import (
	"time"

	"burble/app/limit"
	"burble/app/protocol"
)

const (
	// SignInRate is how many attempts to sign in, or to use a code, an address may make per second, with bursts of
	// up to SignInBurst. The limit does not protect the codes, which have 128 random bits. It protects Redis, because
	// each attempt may take a kilobyte there for ten minutes.
	SignInRate  = 0.5
	SignInBurst = 30
	// AllSignInsFactor is the factor by which the limits for all addresses together are larger than those for one
	// address.
	AllSignInsFactor = 20
)

// signIns are the limits of attempts to sign in.
type signIns struct{ perAddress, all *limit.Rate }

// newSignIns returns no limits if requests are not limited.
func newSignIns(requestRate float64) signIns {
	if requestRate == 0 {
		return signIns{}
	}
	return signIns{limit.NewRate(SignInRate, SignInBurst), limit.NewRate(AllSignInsFactor*SignInRate, AllSignInsFactor*SignInBurst)}
}

// AllowSignIn counts an attempt to sign in, or to use a code. It checks the limit of the address first, so that
// one address cannot use up the limit of all.
func (l *Limits) AllowSignIn(address string) error {
	if err := allow(l.signIns.perAddress, address, 1, "attempts to sign in"); err != nil {
		return err
	}
	if ok, after := l.signIns.all.Allow("", 1, time.Now()); !ok {
		return protocol.TooMany("attempts to sign in", after)
	}
	return nil
}
