package streams

import (
	"errors"
	"strings"
)

// Access gives one user access to the rooms of a Store. It is the only way to reach a room, so
// every caller must name the user for whom it reads or writes. An Access is a small value that
// callers create for each request. It is safe for concurrent use.
type Access struct {
	store *Store
	user  User
	rank  Rank
}

// Rank is what a user may do on the whole server. A user may also moderate single rooms.
type Rank uint8

// The ranks, in ascending order.
const (
	Visitor   Rank = iota // has no name
	Guest                 // has a name, but no account
	Account               // may be a member of hidden rooms
	Moderator             // moderates public rooms, and hidden rooms if they are a member
	Owner                 // a Moderator who may also change roles and delete rooms
)

// Mode determines what users without an account may do in public rooms.
type Mode uint8

// The modes.
const (
	Anyone       Mode = iota // everyone reads, and everyone with a name writes
	AccountsPost             // everyone reads, and accounts write
	AccountsOnly             // only accounts read and write
)

// The reasons why a user may not do something in a room.
var (
	// ErrHidden means that the room is hidden from the user, was deleted, or never existed. The user
	// must not learn which.
	ErrHidden = errors.New("no such room")
	// ErrSignIn means that the Mode requires an account.
	ErrSignIn = errors.New("an account is required")
	// ErrNotModerator means that only a moderator of the room may do this.
	ErrNotModerator = errors.New("only a moderator may do this")
	// ErrNotOwner means that only an owner may do this.
	ErrNotOwner = errors.New("only an owner may do this")
	// ErrMuted means that a moderator has muted the user in the room.
	ErrMuted = errors.New("the user is muted in the room")
	// ErrLocked means that only moderators may post in the room.
	ErrLocked = errors.New("the room is locked")
	// ErrArchived means that nobody may post in the room.
	ErrArchived = errors.New("the room is archived")
	// ErrNoMember means that the user whose membership should change is not a member.
	ErrNoMember = errors.New("not a member of the room")
	// ErrDirect means that the members and the title of a direct room cannot change.
	ErrDirect = errors.New("a direct room cannot be changed")
)

// refusals maps the results of refuse in rights.lua to errors.
var refusals = map[string]error{
	"hidden": ErrHidden, "not_moderator": ErrNotModerator, "not_owner": ErrNotOwner, "muted": ErrMuted,
	"locked": ErrLocked, "archived": ErrArchived, "no_member": ErrNoMember, "direct": ErrDirect,
}

// name returns the rank as scripts expect it. It is "" below Moderator.
func (r Rank) name() string {
	switch r {
	case Moderator:
		return "moderator"
	case Owner:
		return "owner"
	}
	return ""
}

// As returns an Access for a user without an account. The zero User is a visitor without a name.
func (s *Store) As(user User) Access {
	rank := Visitor
	if user.ID != "" {
		rank = Guest
	}
	return s.AsRanked(user, rank)
}

// AsRanked returns an Access for a user with a rank.
func (s *Store) AsRanked(user User, rank Rank) Access {
	return Access{store: s, user: user, rank: rank}
}

// A hidden room's name is the letter of its kind and hiddenRandom characters of base32 (a-z, 2-7).
const (
	privatePrefix = "p"
	directPrefix  = "d"
	hiddenRandom  = 20
)

// IsHidden reports whether room is the name of a private or a direct room, which only its members may
// see. It checks only the form of the name, not whether the room exists.
func IsHidden(room string) bool {
	if len(room) != 1+hiddenRandom || !strings.HasPrefix(room, privatePrefix) && !strings.HasPrefix(room, directPrefix) {
		return false
	}
	for _, c := range []byte(room[1:]) {
		if (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}

// IsDirect reports whether room is the name of a direct room. Like IsHidden, it checks only the form of the name.
func IsDirect(room string) bool { return IsHidden(room) && strings.HasPrefix(room, directPrefix) }

// A right is a kind of access to a room.
type right int

const (
	reading   right = iota // read entries, the topic, who is present, and signals
	writing                // append entries and signals
	recording              // append to the AuditRoom
)

// grant is the permission of one user to read or write one room. Only admit creates grants. A function that
// reads or writes a room for one user takes a grant. Its helpers, and functions that serve all readers of a
// room at once, take only the room's name.
type grant struct {
	room  string
	user  User
	rank  Rank
	right right
	// ifMember means that the user may read or write the room only while they are a member. The script,
	// pipeline or reader that uses the grant must check that.
	ifMember bool
}

// memberID returns the user's ID if the user must be a member of the room, and "" otherwise. Scripts
// take it as an argument.
func (g grant) memberID() string {
	if g.ifMember {
		return g.user.ID
	}
	return ""
}

// isShutOut reports whether the user has no account and all rooms are for accounts only.
func (a Access) isShutOut() bool { return a.rank < Account && a.store.mode == AccountsOnly }

// admit is the only function that decides whether the user may read or write the room. It returns
// ErrBadRoom for an invalid name, and ErrSignIn or ErrHidden for a user who needs an account.
//
// admit does not read Redis, which has the members of hidden rooms and the settings of all rooms. The
// script, pipeline or reader that uses the grant checks those.
func (a Access) admit(room string, want right) (grant, error) {
	if room == AuditRoom {
		return a.admitToAudit(want)
	}
	if err := CheckRoom(room); err != nil {
		return grant{}, err
	}
	granted := grant{room: room, user: a.user, rank: a.rank, right: want, ifMember: IsHidden(room)}
	if a.rank < Account {
		switch mode := a.store.mode; {
		case a.isShutOut(), mode == AccountsPost && want == writing && !granted.ifMember:
			return grant{}, ErrSignIn
		case granted.ifMember:
			return grant{}, ErrHidden
		}
	}
	return granted, nil
}

func (a Access) admitToAudit(want right) (grant, error) {
	granted := grant{room: AuditRoom, user: a.user, rank: a.rank, right: want}
	switch {
	case want == recording:
		granted.right = writing
	case want == writing, a.rank < Moderator:
		return grant{}, ErrHidden
	}
	return granted, nil
}
