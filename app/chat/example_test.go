package chat_test

import (
	"context"
	"fmt"
	"log/slog"

	"burble/app/chat"
	"burble/app/identity"
	"burble/streams"
	"burble/streams/conns"

	"github.com/alicebob/miniredis/v2"
)

func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	server := miniredis.NewMiniRedis()
	if err := server.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	log := slog.New(slog.DiscardHandler)
	store, err := streams.Open(ctx, streams.Options{Redis: &conns.Address{Addrs: []string{server.Addr()}}, Log: log})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	go store.Run(ctx)

	service := chat.New(store, chat.Options{Log: log, MessageRate: 5})
	go service.Run(ctx)

	ada, _ := identity.NewUser("Ada")
	message := streams.Entry{Kind: streams.Message, Key: "9b2f6c1e-3d4a-4f6b-8a7e-1c2d3e4f5a6b", Text: "hi"}
	for range 2 { // the second append is a retry with the same key
		stored, err := service.Append(ada, "192.0.2.1", "lobby", message)
		fmt.Println(stored.Repeated, err)
	}
	page, _ := service.Page(ctx, ada, "lobby", streams.PageQuery{Limit: 50})
	for _, entry := range page.Entries {
		fmt.Println(entry.User.Name, entry.Text)
	}
	// Output:
	// false <nil>
	// true <nil>
	// Ada hi
}
