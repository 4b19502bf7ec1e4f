package accounts_test

import (
	"context"
	"fmt"

	"burble/app/accounts"
	"burble/app/identity"
	"burble/streams/conns"

	"github.com/alicebob/miniredis/v2"
)

func Example() {
	server, err := miniredis.Run()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	set := conns.New(conns.Options{Redis: &conns.Address{Addrs: []string{server.Addr()}}, Stream: "{0}:activity"})
	defer set.Close()
	a := accounts.New(accounts.Options{Redis: set, Secret: []byte("a secret that all servers share")})
	ctx := context.Background()

	code, err := a.SetupCode(ctx) // for the log: https://chat.example/setup?code=…
	if err != nil {
		fmt.Println(err)
		return
	}
	ada, err := a.Redeem(ctx, code, accounts.SignIn{User: identity.User{Name: "Ada"}, Device: "Firefox on Linux"})
	if err != nil {
		fmt.Println(err)
		return
	}

	// Each request has a token.
	session, err := a.Verify(ada.Token)
	if err != nil {
		fmt.Println(err)
		return
	}
	who, err := a.Verdict(ctx, session)
	fmt.Println(who.User.Name, who.Role, err)

	err = a.SignOut(ctx, ada.User.ID, ada.User.ID, session.ID)
	fmt.Println(err)
	_, err = a.Verdict(ctx, session)
	fmt.Println(err)
	// Output:
	// Ada owner <nil>
	// <nil>
	// signed out
}
