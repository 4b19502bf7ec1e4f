package identity

import "github.com/google/uuid"

// User is a person or a program with a name. The ID distinguishes users with the same name. The zero
// User represents a client that has not chosen a name.
type User struct {
	ID   string
	Name string
	Rank Rank
}

// Rank is a user's level of rights on the whole server.
type Rank uint8

// The ranks, in ascending order.
const (
	Guest     Rank = iota // has no account
	Account               // may be a member of hidden rooms
	Moderator             // moderates public rooms, and the hidden rooms that they are a member of
	Owner                 // a Moderator who may also change roles and delete rooms
)

// NewUser returns a user with a new ID. The error is worded for the person who chose the name.
func NewUser(name string) (User, error) {
	name, err := cleanName(name)
	if err != nil {
		return User{}, err
	}
	return User{ID: uuid.NewString(), Name: name}, nil
}

// IsZero reports whether u represents a client that has not chosen a name.
func (u User) IsZero() bool { return u.ID == "" }
