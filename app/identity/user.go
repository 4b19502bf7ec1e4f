package identity

import "github.com/google/uuid"

// User is a person or a program with a name. The ID distinguishes users with the same name. The zero
// User represents a client that has not chosen a name.
type User struct {
	ID   string
	Name string
}

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
