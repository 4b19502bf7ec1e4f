// Package identity knows who a user is: names, user IDs, and the signed tokens that carry
// both.
//
// There is no account. A guest chooses a name, gets a user ID (a UUID) and a token, and
// whoever holds the token is that user. Everything is in the token, so no server remembers
// anyone, and every server with the same secret accepts it.
//
//	user, err := identity.NewUser("Ada")
//	token := tokens.Sign(user, time.Now())
//	user, expiry, err := tokens.Verify(token, time.Now())
package identity

import "github.com/google/uuid"

// User is a person or a program with a name. Users with the same name are told apart by
// their ID. The zero User is nobody: a client that has not chosen a name.
type User struct {
	ID   string
	Name string
}

// NewUser returns a user with a new ID. The error says what is wrong with the name, in
// words for the person who chose it.
func NewUser(name string) (User, error) {
	name, err := cleanName(name)
	if err != nil {
		return User{}, err
	}
	return User{ID: uuid.NewString(), Name: name}, nil
}

// IsZero reports whether the user is nobody.
func (u User) IsZero() bool { return u.ID == "" }
