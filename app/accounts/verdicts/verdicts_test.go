package verdicts

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestVerdictIsReadOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s := f.session()
	f.want(s, nil, 1)
	f.want(s, nil, 0)
	f.Changed(f.change("signed_out", s, nil))
	f.want(s, ErrSignedOut, 1) // the end of a session is not cached
	expired := f.session()
	expired.Expiry = time.Now().Add(-time.Second)
	f.want(expired, ErrSignedOut, 0)
}

// A lost tail must be noticed even if Broken is not called.
func TestVerdictIsReadWhenUnconfirmed(t *testing.T) {
	t.Parallel()
	for _, isBroken := range []bool{false, true} {
		f := newFixture(t)
		s := f.session()
		f.want(s, nil, 1)
		f.now += 10 * time.Second
		f.Confirmed()
		if isBroken {
			f.Broken()
		}
		f.change("signed_out", s, nil) // and the tail misses it
		f.now += MaxUnconfirmed
		f.want(s, nil, 0)
		f.now++
		f.want(s, ErrSignedOut, 1)
		f.Confirmed()
		if isBroken { // a broken tail confirms nothing
			f.want(f.session(), nil, 1)
			again := f.session()
			f.want(again, nil, 1)
			f.want(again, nil, 1)
		}
	}
}

func TestRestoredChecksEverything(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var sessions []Session
	var all []*recorder
	for range 2500 {
		s, r := f.session(), &recorder{}
		if _, err := f.Subscribe(ctx, s, r); err != nil {
			t.Fatal(err)
		}
		sessions, all = append(sessions, s), append(all, r)
	}
	guest, guestRecorder := uuid.New(), &recorder{}
	if err := f.SubscribeGuest(ctx, guest.String(), guestRecorder); err != nil {
		t.Fatal(err)
	}
	f.Broken()
	f.change("signed_out", sessions[7], nil)
	f.change("banned", sessions[8], func(s *State) { s.IsBanned = true })
	f.change("role", sessions[9], func(s *State) { s.Role = Owner })
	f.ended[guest] = true
	f.away = true
	f.restore(ErrUnavailable)
	f.away = false
	before := f.reads
	f.restore(nil)
	if reads := f.reads - before; reads != 3 {
		t.Errorf("restoring 2500 users took %d reads, want 3, one for each 1000 users", reads)
	}
	for i, want := range map[int][]error{6: nil, 7: {ErrSignedOut}, 8: {ErrBanned}, 9: {nil}} {
		if !slices.Equal(all[i].events, want) {
			t.Errorf("subscriber %d was notified of %v, want %v", i, all[i].events, want)
		}
	}
	if !slices.Equal(guestRecorder.events, []error{ErrBanned}) {
		t.Errorf("the guest was notified of %v, want only %v", guestRecorder.events, ErrBanned)
	}
	f.want(sessions[6], nil, 0)
	if v, _ := f.Verdict(ctx, sessions[9]); v.Role != Owner {
		t.Errorf("got role %q, want %q", v.Role, Owner)
	}
}

// A change may arrive while its session is read, or the state may come from a replica that lags behind.
func TestStaleReadIsNotCached(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s := f.session()
	f.onRead = func() { f.Changed(f.change("signed_out", s, nil)) }
	f.want(s, ErrSignedOut, 2)

	s = f.session()
	f.lag = 1
	f.want(s, ErrUnavailable, staleReads)
	f.restore(ErrUnavailable)
	f.lag = 0
	f.restore(nil)
	f.want(s, nil, 1)

	s = f.session()
	f.onRead = func() { f.Broken(); f.restore(nil) } // the state is from before the break
	f.want(s, nil, 3)
}

// Redis was flushed, so it has no sessions.
func TestEmptiedRedisHasNoSessions(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.now += MaxUnconfirmed + 1
	s := f.session()
	f.sessions[s.ID], f.users[s.User].Role = false, ""
	f.cache.lastChange = entryID{millis: 5}
	f.last = 0
	f.want(s, ErrSignedOut, 1)
}

// Changes that a state already reflects must not be applied to it again.
func TestOldChangesAreIgnored(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s := f.session()
	oldID, old := f.change("banned", s, func(s *State) { s.IsBanned = true })
	newID, newer := f.change("unbanned", s, func(s *State) { s.IsBanned = false })
	r := &recorder{}
	if _, err := f.Subscribe(ctx, s, r); err != nil {
		t.Fatal(err)
	}
	f.Changed(oldID, old)
	f.Changed(newID, newer)
	f.want(s, nil, 0)
	if len(r.events) > 0 {
		t.Errorf("notified of %v, want nothing", r.events)
	}
}

func TestChangesNotifySubscribers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s, gone := f.session(), &recorder{}
	all := []*recorder{{}, {}}
	for _, r := range append(all, gone) {
		if _, err := f.Subscribe(ctx, s, r); err != nil {
			t.Fatal(err)
		}
	}
	f.Unsubscribe(s, gone)
	f.Changed(f.change("role", s, func(s *State) { s.Role = Moderator }))
	f.Changed(f.change("name", s, func(s *State) { s.User.Name = "Bob" }))
	if v, err := f.Verdict(ctx, s); err != nil || v.Role != Moderator || v.User.Name != "Bob" {
		t.Errorf("Verdict returned %v, %v; want the moderator Bob", v, err)
	}
	f.Changed(f.change("left", s, nil))
	for _, r := range all {
		if !slices.Equal(r.events, []error{nil, nil, ErrSignedOut}) {
			t.Errorf("notified of %v, want two changes and %v", r.events, ErrSignedOut)
		}
	}
	if len(gone.events) > 0 {
		t.Errorf("notified of %v after Unsubscribe, want nothing", gone.events)
	}
	f.Changed("9999-0", map[string]any{"kind": "signed_out"}) // unreadable
}

// A newer release may append kinds of changes that this one does not know.
func TestUnknownChangeRereadsSessions(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s, r := f.session(), &recorder{}
	if _, err := f.Subscribe(ctx, s, r); err != nil {
		t.Fatal(err)
	}
	f.Changed(f.change("suspended", s, func(*State) { f.sessions[s.ID] = false }))
	f.recheckUnconfirmed(ctx)
	if !slices.Equal(r.events, []error{ErrSignedOut}) {
		t.Errorf("notified of %v, want only %v", r.events, ErrSignedOut)
	}
}

func TestRunChecksSubscribersWithoutTail(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s, r, guest, g := f.session(), &recorder{}, uuid.New(), &recorder{}
	if _, err := f.Subscribe(ctx, s, r); err != nil {
		t.Fatal(err)
	}
	if err := f.SubscribeGuest(ctx, guest.String(), g); err != nil {
		t.Fatal(err)
	}
	f.change("signed_out", s, nil)
	f.ended[guest] = false
	before := f.reads
	f.recheckUnconfirmed(ctx)
	if f.reads != before {
		t.Error("Run read a confirmed session again")
	}
	f.now += MaxUnconfirmed + 1
	f.recheckUnconfirmed(ctx)
	if !slices.Equal(r.events, []error{ErrSignedOut}) || !slices.Equal(g.events, []error{ErrUpgraded}) {
		t.Errorf("notified of %v and %v, want only %v and %v", r.events, g.events, ErrSignedOut, ErrUpgraded)
	}
	// Run checks again at intervals, and earlier if the tail is known to be broken.
	other := f.session()
	if _, err := f.Subscribe(ctx, other, r); err != nil {
		t.Fatal(err)
	}
	f.change("signed_out", other, nil)
	f.now += recheckInterval - 1
	f.recheckUnconfirmed(ctx)
	if len(r.events) != 1 {
		t.Error("the sessions were checked again before recheckInterval had passed")
	}
	f.now++
	f.recheckUnconfirmed(ctx)
	if len(r.events) != 2 {
		t.Error("the sessions were not checked again after recheckInterval")
	}
	f.restore(nil)
	other = f.session()
	if _, err := f.Subscribe(ctx, other, r); err != nil {
		t.Fatal(err)
	}
	f.change("signed_out", other, nil)
	f.Broken()
	f.now += recheckInterval + 1
	f.recheckUnconfirmed(ctx)
	if len(r.events) != 3 {
		t.Error("the sessions were not checked soon after the tail broke")
	}
}

func TestUnconfirmedSessionsEndIfConfigured(t *testing.T) {
	t.Parallel()
	for _, end := range []bool{false, true} {
		f := newFixture(t)
		f.options.EndUnconfirmed = end
		s, r := f.session(), &recorder{}
		if _, err := f.Subscribe(ctx, s, r); err != nil {
			t.Fatal(err)
		}
		f.away = true
		f.now += MaxUnconfirmed
		f.recheckUnconfirmed(ctx)
		if len(r.events) > 0 {
			t.Errorf("the subscription ended early: %v", r.events)
		}
		f.now++
		f.recheckUnconfirmed(ctx)
		f.recheckUnconfirmed(ctx)
		if end != slices.Equal(r.events, []error{ErrUnavailable}) {
			t.Errorf("EndUnconfirmed = %v: notified of %v, want an end only if it is set", end, r.events)
		}
	}
}

func TestGuestIsCheckedInMemory(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	guest := uuid.New()
	check := func(want error, reads int) {
		t.Helper()
		before := f.reads
		if err := f.Guest(ctx, guest.String()); !errors.Is(err, want) || f.reads-before != reads {
			t.Errorf("Guest returned %v after %d reads, want %v after %d", err, f.reads-before, want, reads)
		}
	}
	check(nil, 0)
	f.ended[guest] = true
	id, change := f.change("banned", Session{User: guest}, nil)
	f.Changed(id, change)
	check(ErrBanned, 1)
	delete(f.ended, guest)
	f.Changed(f.change("unbanned", Session{User: guest}, nil))
	check(nil, 1)
	f.restore(nil)
	check(nil, 0)
	f.now += MaxUnconfirmed + 1
	check(nil, 1)
	if err := f.Guest(ctx, "not a user ID"); err == nil {
		t.Error("Guest accepted an invalid user ID")
	}
}

func (r *lockedRecorder) SessionChanged(Verdict, error) { r.mu.Lock(); defer r.mu.Unlock() }
