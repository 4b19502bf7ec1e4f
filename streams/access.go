package streams

// Access gives one user access to the rooms of a Store. It is the only way to reach a room, so
// every caller must name the user for whom it reads or writes. An Access is a small value that
// callers create for each request. It is safe for concurrent use.
type Access struct {
	store *Store
	user  User
}

// As returns an Access for the user. The zero User is a visitor without a name.
func (s *Store) As(user User) Access { return Access{store: s, user: user} }

// A right is a kind of access to a room.
type right int

const (
	reading right = iota // read entries, the topic, who is present, and signals
	writing              // append entries and signals
)

// grant is the permission of one user to read or write one room. Only admit creates grants. The
// functions that the methods of Access call to read or write a room take a grant. The functions below
// those take only a room's name, or serve all readers of a room at once.
type grant struct {
	room  string
	user  User
	right right
}

// admit is the only function that decides whether the user may read or write the room. For
// now, everyone may read and write every room. It returns ErrBadRoom for an invalid name.
//
// If a right depends on data in Redis, the script or pipeline that uses the grant must check it in
// the same step as the read or write. Readers cannot: they share reads and windows, so a reader's right
// is checked only when it follows the room.
func (a Access) admit(room string, want right) (grant, error) {
	if err := CheckRoom(room); err != nil {
		return grant{}, err
	}
	return grant{room: room, user: a.user, right: want}, nil
}
