package verdicts

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"burble/app/identity"

	"github.com/google/uuid"
)

// MaxUnconfirmed is how long a verdict may be decided from memory after the tail last had a reply from
// Redis. A sign-out that the tail has missed takes effect within this time.
const MaxUnconfirmed = 20 * time.Second

// maxCachedUsers is how many users the cache holds before it evicts those without a subscribed session. They
// take about 15 MB.
const maxCachedUsers = 50_000

// A cache holds the sessions that this server has recently read, and applies the changes that the tail reads.
//
// Each user has the ID of the last change that its state reflects, so that older changes that the tail reads later are
// ignored. A state from Redis is cached only if it reflects every change that the tail has read. If it does not, a
// replica lags behind, or a change arrived during the read.
type cache struct {
	start     time.Time
	confirmed atomic.Int64 // the time of the tail's last reply from Redis, in ns after start; 0 means never

	mu          sync.RWMutex
	users       map[uuid.UUID]*cachedUser
	guests      map[uuid.UUID][]Subscriber // the connections of guests
	endedGuests map[uuid.UUID]bool         // true if the guest is banned; nil until Restored has read them
	lastChange  entryID                    // the last entry that the tail has read
	epoch       int                        // incremented when the tail breaks or is restored
	isBroken    bool
	recheckDue  bool      // set by a change of an unknown kind
	rechecked   time.Time // when Run last began to check the sessions
}

type cachedUser struct {
	user     identity.User
	role     Role
	asOf     entryID
	sessions *cachedSession // a list, because most people have one
}

type cachedSession struct {
	id          uuid.UUID
	used        int64 // the day of last use according to Redis
	next        *cachedSession
	subscribers []Subscriber
}

// A notice is a pending call of SessionChanged.
type notice struct {
	subscribers []Subscriber
	verdict     Verdict
	err         error
}

func newCache(start time.Time) *cache {
	return &cache{start: start, users: make(map[uuid.UUID]*cachedUser), guests: make(map[uuid.UUID][]Subscriber)}
}

// isConfirmed reports whether the tail has confirmed the cache within MaxUnconfirmed.
func (c *cache) isConfirmed(now time.Time) bool {
	confirmed := c.confirmed.Load()
	return confirmed != 0 && now.Sub(c.start)-time.Duration(confirmed) <= MaxUnconfirmed
}

func (c *cache) verdict(s Session, now time.Time) (Verdict, bool) {
	if !c.isConfirmed(now) {
		return Verdict{}, false
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	user, session := c.find(s)
	if session == nil {
		return Verdict{}, false
	}
	return Verdict{user.user, user.role}, true
}

// confirm records that the tail has received a reply from Redis. The caller holds mu.
func (c *cache) confirm(now time.Time) { c.confirmed.Store(max(1, int64(now.Sub(c.start)))) }

// find returns a session and its user. The session is nil if it is not cached. The caller holds mu.
func (c *cache) find(s Session) (*cachedUser, *cachedSession) {
	user := c.users[s.User]
	if user == nil {
		return nil, nil
	}
	return user, user.session(s.ID)
}

func (u *cachedUser) session(id uuid.UUID) *cachedSession {
	for session := u.sessions; session != nil; session = session.next {
		if session.id == id {
			return session
		}
	}
	return nil
}

// remove removes a session from the list, and returns its subscribers.
func (u *cachedUser) remove(id uuid.UUID) []Subscriber {
	for at := &u.sessions; *at != nil; at = &(*at).next {
		if session := *at; session.id == id {
			*at = session.next
			return session.subscribers
		}
	}
	return nil
}

// subscribers returns the subscribers of all sessions.
func (u *cachedUser) subscribers() (all []Subscriber) {
	for session := u.sessions; session != nil; session = session.next {
		all = append(all, session.subscribers...)
	}
	return all
}

func (c *cache) currentEpoch() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.epoch
}

// apply updates the cache to the state, which was read during the epoch, and notifies subscribers. It
// returns false if the state may lack changes.
func (c *cache) apply(query Query, s *State, epoch int) bool {
	asOf := parseEntryID(s.AsOf)
	c.mu.Lock()
	if epoch != c.epoch || asOf.before(c.lastChange) {
		c.mu.Unlock()
		return false
	}
	user := c.users[query.User]
	if user == nil {
		c.evict()
		user = &cachedUser{user: s.User, role: s.Role}
	}
	var notices []notice
	for i, id := range query.Sessions {
		session := user.session(id)
		switch {
		case !s.Sessions[i].IsLive:
			_, err := s.verdict(i)
			notices = append(notices, notice{user.remove(id), Verdict{}, err})
		case session == nil:
			user.sessions = &cachedSession{id: id, used: s.Sessions[i].Used, next: user.sessions}
		default:
			session.used = max(session.used, s.Sessions[i].Used)
		}
	}
	if user.role != s.Role || user.user.Name != s.User.Name {
		notices = append(notices, notice{user.subscribers(), Verdict{s.User, s.Role}, nil})
	}
	user.user.Name, user.role, user.asOf = s.User.Name, s.Role, asOf
	c.keep(query.User, user)
	c.mu.Unlock()
	notify(notices)
	return true
}

// keep caches the user if any session is left. The caller holds mu.
func (c *cache) keep(id uuid.UUID, user *cachedUser) {
	if user.sessions == nil {
		delete(c.users, id)
	} else {
		c.users[id] = user
	}
}

// evict makes room for one more user. The caller holds mu.
func (c *cache) evict() {
	if len(c.users) < maxCachedUsers {
		return
	}
	tries := 0
	for id, user := range c.users {
		if tries++; len(user.subscribers()) == 0 {
			delete(c.users, id)
			return
		}
		if tries == 20 { // nearly all are in use
			return
		}
	}
}

func (c *cache) lastUsed(s Session) int64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if _, session := c.find(s); session != nil {
		return session.used
	}
	return -1
}

func (c *cache) setUsed(s Session, day int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, session := c.find(s); session != nil {
		session.used = max(session.used, day)
	}
}

func (c *cache) subscribe(s Session, subscriber Subscriber) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, session := c.find(s)
	if session == nil {
		return false
	}
	session.subscribers = append(session.subscribers, subscriber)
	return true
}

func (c *cache) unsubscribe(s Session, subscriber Subscriber) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, session := c.find(s); session != nil {
		session.subscribers = without(session.subscribers, subscriber)
	}
}

func (c *cache) subscribeGuest(id uuid.UUID, subscriber Subscriber) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.guests[id] = append(c.guests[id], subscriber)
}

func (c *cache) unsubscribeGuest(id uuid.UUID, subscriber Subscriber) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.guests[id] = without(c.guests[id], subscriber); len(c.guests[id]) == 0 {
		delete(c.guests, id)
	}
}

// without removes a subscriber. The result is nil if none is left, to free the memory.
func without(all []Subscriber, subscriber Subscriber) []Subscriber {
	if i := slices.Index(all, subscriber); i >= 0 {
		all = slices.Delete(all, i, i+1)
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// isGuest reports whether the cache knows that the guest's token is still valid.
func (c *cache) isGuest(id uuid.UUID, now time.Time) bool {
	if !c.isConfirmed(now) {
		return false
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	_, ended := c.endedGuests[id]
	return c.endedGuests != nil && !ended
}

func notify(notices []notice) {
	for _, due := range notices {
		for _, subscriber := range due.subscribers {
			subscriber.SessionChanged(due.verdict, due.err)
		}
	}
}

// entryID is the ID of an entry in the access stream.
type entryID struct{ millis, seq uint64 }

func parseEntryID(text string) (id entryID) {
	millis, seq, _ := strings.Cut(text, "-")
	id.millis, _ = strconv.ParseUint(millis, 10, 64)
	id.seq, _ = strconv.ParseUint(seq, 10, 64)
	return id
}

func (id entryID) before(other entryID) bool {
	return id.millis < other.millis || id.millis == other.millis && id.seq < other.seq
}
