package streams

// Access is a Store as one user sees it, and the only way to a room: no caller can forget to
// name the user for whom it reads or writes. It is a small value, made for each request, and
// safe for concurrent use.
type Access struct {
	store *Store
	user  User
}

// As returns the Store as the user sees it. The zero User is a visitor without a name.
func (s *Store) ForUser(user User) Access { return Access{store: s, user: user} }

// right is something that a user wants to do in a room.
type right int

const (
	reading right = iota // its entries, topic, people and signals
	writing              // entries and signals
)

// grant is the permission of one user to do one thing in one room. Every script and
// pipeline that touches a room for a user takes one, and only admit issues them.
type grant struct {
	room string
	user User
	want right
}

// admit is the one place where the Store decides whether the user may read or write the
// room. It returns ErrBadRoom for a name that no room can have. Everybody may read and
// write every room.
//
// A right that depends on what Redis holds must be checked by the script or pipeline that
// uses the grant, at the same moment as the read or write itself.
func (a Access) admit(room string, want right) (grant, error) {
	if err := CheckRoom(room); err != nil {
		return grant{}, err
	}
	return grant{room: room, user: a.user, want: want}, nil
}
