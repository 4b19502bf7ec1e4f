package lease_test

import (
	"context"
	"fmt"

	"burble/app/lease"
	"burble/streams/conns"

	"github.com/alicebob/miniredis/v2"
)

func Example() {
	server, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	defer server.Close()
	set := conns.New(conns.Options{Redis: &conns.Address{Addrs: []string{server.Addr()}}, Stream: "{0}:activity"})
	defer set.Close()

	letters := []string{"a", "b", "c"}
	ctx, cancel := context.WithCancel(context.Background())
	job := lease.New(lease.Options{
		Name: "letters", Redis: set,
		Step: func(_ context.Context, cursor string) (next string, done bool, err error) {
			if len(cursor) == len(letters) {
				cancel()
				return cursor, true, nil
			}
			next = cursor + letters[len(cursor)]
			fmt.Println("from", fmt.Sprintf("%q", cursor), "to", next)
			return next, false, nil
		},
	})
	job.Run(ctx)
	// Output:
	// from "" to a
	// from "a" to ab
	// from "ab" to abc
}
