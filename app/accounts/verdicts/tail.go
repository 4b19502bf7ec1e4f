package verdicts

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

const (
	// recheckBatch is how many users are read in one pipeline.
	recheckBatch = 1000
	// recheckTimeout limits the time to read all users.
	recheckTimeout = 10 * time.Second
	// runInterval is how often Run checks whether the tail still confirms the cache.
	runInterval = time.Second
	// recheckLead is how long before MaxUnconfirmed a recheck begins, so that it ends in time.
	recheckLead = 500 * time.Millisecond
	// recheckInterval is how long after a recheck the next one is due, while the tail is lost.
	recheckInterval = MaxUnconfirmed / 2
)

// Confirmed records that the tail has received a reply from Redis, and has passed all entries in it to Changed. The tail
// must call it for empty replies too, and more often than every MaxUnconfirmed.
func (v *Verdicts) Confirmed() {
	v.cache.mu.RLock()
	defer v.cache.mu.RUnlock()
	if !v.cache.isBroken {
		v.cache.confirm(v.options.Now())
	}
}

// Broken records that the tail has lost its connection, and may therefore miss changes.
func (v *Verdicts) Broken() {
	v.cache.mu.Lock()
	defer v.cache.mu.Unlock()
	v.cache.isBroken = true
	v.cache.epoch++
}

// Restored checks all cached sessions again, because the tail may have missed changes. Afterwards, the tail must read all
// entries after the ID last, which is "0-0" for an empty stream. If Restored returns an error, the cache is not used, and
// the tail must call Restored again.
//
// The tail must call it before it publishes messages that it read after the break. Otherwise, a
// connection could receive messages that were written after its session ended.
func (v *Verdicts) Restored(ctx context.Context, last string) error {
	began := v.options.Now() // before Redis is read
	v.cache.mu.Lock()
	v.cache.lastChange = parseEntryID(last)
	v.cache.isBroken = true
	v.cache.epoch++
	v.cache.mu.Unlock()
	if err := v.recheck(ctx); err != nil {
		return fmt.Errorf("restore the sessions: %w", err)
	}
	v.cache.mu.Lock()
	defer v.cache.mu.Unlock()
	v.cache.isBroken = false
	v.cache.confirm(began)
	return nil
}

// Changed applies an entry of the stream of changes.
func (v *Verdicts) Changed(entryID string, fields map[string]any) {
	text := func(field string) string {
		value, _ := fields[field].(string)
		return value
	}
	id := parseEntryID(entryID)
	user, err := uuid.Parse(text("user"))
	if err != nil {
		v.options.Log.Warn("unreadable entry in the access stream", "entry", entryID)
		return
	}
	c := v.cache
	c.mu.Lock()
	if c.lastChange.before(id) {
		c.lastChange = id
	}
	var notices []notice
	if text("kind") != "account" || text("was") == "guest" {
		notices = c.changeGuest(text("kind"), user)
	}
	cached := c.users[user]
	if cached != nil && cached.asOf.before(id) {
		cached.asOf = id
		notices = append(notices, c.changeUser(cached, text)...)
		c.keep(user, cached)
	}
	c.mu.Unlock()
	notify(notices)
}

// changeGuest applies a change to the guest with this user ID. The caller holds mu.
func (c *cache) changeGuest(kind string, user uuid.UUID) (notices []notice) {
	var err error
	switch kind {
	case "account", "left":
		err = ErrUpgraded
	case "banned":
		err = ErrBanned
	default: // after "unbanned", Guest reads Redis
		return nil
	}
	if c.endedGuests != nil {
		c.endedGuests[user] = err == ErrBanned
	}
	notices = append(notices, notice{c.guests[user], Verdict{}, err})
	delete(c.guests, user)
	return notices
}

// changeUser applies a change to a user. The caller holds mu.
func (c *cache) changeUser(user *cachedUser, text func(field string) string) []notice {
	endAll := func(err error) []notice {
		ended := user.subscribers()
		user.sessions = nil
		return []notice{{ended, Verdict{}, err}}
	}
	switch text("kind") {
	case "signed_out":
		if id, err := uuid.Parse(text("session")); err == nil {
			return []notice{{user.remove(id), Verdict{}, ErrSignedOut}}
		}
	case "banned":
		return endAll(ErrBanned)
	case "left":
		return endAll(ErrSignedOut)
	case "role":
		user.role = Role(text("role"))
	case "name":
		user.user.Name = text("name")
	case "account", "unbanned": // there were no sessions before
		return nil
	default: // a kind that only a newer release knows
		c.recheckDue = true
		return nil
	}
	return []notice{{user.subscribers(), Verdict{user.user, user.role}, nil}}
}

// Run checks the cached sessions against Redis while the tail does not confirm them, until ctx ends. It makes the first
// check recheckInterval after the last confirmation if the tail is broken, and otherwise shortly before MaxUnconfirmed
// has passed. It also checks them after a change of an unknown kind.
func (v *Verdicts) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(v.cache.untilCheck(v.options.Now())):
			v.recheckUnconfirmed(ctx)
		}
	}
}

// untilCheck returns how long Run waits, which is runInterval or, if that is sooner, until a recheck is due.
func (c *cache) untilCheck(now time.Time) time.Duration {
	age := now.Sub(c.start) - time.Duration(c.confirmed.Load())
	if left := MaxUnconfirmed - recheckLead - age; left >= 0 && left < runInterval {
		return left + time.Millisecond
	}
	return runInterval
}

func (v *Verdicts) recheckUnconfirmed(ctx context.Context) {
	now := v.options.Now()
	if !v.cache.startRecheck(now) {
		return
	}
	err := v.recheck(ctx)
	if err == nil || ctx.Err() != nil {
		return
	}
	v.cache.mu.Lock()
	v.cache.rechecked = time.Time{} // try again soon
	v.cache.mu.Unlock()
	v.options.Log.Debug("cannot confirm sessions", "error", err)
	if v.options.EndUnconfirmed && !v.cache.isConfirmed(v.options.Now()) {
		notify(v.cache.endAll())
	}
}

// startRecheck reports whether a recheck is due now. If so, it records that the recheck begins.
func (c *cache) startRecheck(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	isLost := !c.isConfirmed(now.Add(recheckLead)) || c.isBroken && !c.isConfirmed(now.Add(recheckInterval))
	isDue := c.recheckDue || isLost && now.Sub(c.rechecked) >= recheckInterval
	if !isDue || len(c.users) == 0 && len(c.guests) == 0 {
		return false
	}
	c.recheckDue, c.rechecked = false, now
	return true
}

// endAll ends the subscriptions of all sessions with ErrUnavailable. Guests stay connected, because they may do only what
// anyone may do.
func (c *cache) endAll() (notices []notice) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, user := range c.users {
		notices = append(notices, notice{user.subscribers(), Verdict{}, ErrUnavailable})
	}
	clear(c.users)
	return notices
}

// recheck reads all cached sessions and the ended guests again.
func (v *Verdicts) recheck(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, recheckTimeout)
	defer cancel()
	ended, asOf, err := v.options.Store.ReadEndedGuests(ctx)
	if err != nil {
		return err
	}
	if !v.cache.setEndedGuests(ended, parseEntryID(asOf)) {
		return errChanged
	}
	queries, epoch := v.cache.all()
	for chunk := range slices.Chunk(queries, recheckBatch) {
		states, err := v.options.Store.ReadStates(ctx, chunk...)
		if err != nil {
			return err
		}
		for i := range states {
			if !v.cache.apply(chunk[i], &states[i], epoch) {
				return errChanged
			}
		}
	}
	return nil
}

var errChanged = fmt.Errorf("%w: sessions changed while they were read", ErrUnavailable)

// setEndedGuests replaces the set of ended guests, and notifies those who are connected. It
// returns false if some may be missing.
func (c *cache) setEndedGuests(ended map[uuid.UUID]bool, asOf entryID) bool {
	c.mu.Lock()
	if asOf.before(c.lastChange) {
		c.mu.Unlock()
		return false
	}
	c.endedGuests = ended
	var notices []notice
	for guest := range c.guests {
		if isBanned, isEnded := ended[guest]; isEnded {
			kind := "account"
			if isBanned {
				kind = "banned"
			}
			notices = append(notices, c.changeGuest(kind, guest)...)
		}
	}
	c.mu.Unlock()
	notify(notices)
	return true
}

// all returns the cached users with their sessions.
func (c *cache) all() (queries []Query, epoch int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for id, user := range c.users {
		query := Query{User: id}
		for session := user.sessions; session != nil; session = session.next {
			query.Sessions = append(query.Sessions, session.id)
		}
		queries = append(queries, query)
	}
	return queries, c.epoch
}
