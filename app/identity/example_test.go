package identity_test

import (
	"fmt"
	"time"

	"burble/app/identity"
)

func Example() {
	user, err := identity.NewUser("  Ada   Lovelace ")
	if err != nil {
		fmt.Println(err) // for the person who chose the name
		return
	}
	tokens := identity.NewTokens([]byte("a secret that all servers share"))
	token := tokens.Sign(user, time.Now())

	verified, _, err := tokens.Verify(token, time.Now())
	fmt.Println(verified.Name, verified == user, err)
	// Output: Ada Lovelace true <nil>
}
