package streams_test

import (
	"context"
	"fmt"
	"log"

	"burble/streams"
	"burble/streams/conns"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
)

// A user posts to a room and reads it.
func Example() {
	server, err := miniredis.Run() // to use a real Redis, replace server.Addr() with its address
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	store, err := streams.Open(context.Background(), streams.Options{
		Redis: &conns.Address{Addrs: []string{server.Addr()}},
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- store.Run(ctx) }()

	access := store.As(streams.User{ID: uuid.NewString(), Name: "Ada"})
	for _, text := range []string{"Hello", "Is anyone here?"} {
		entry := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: text}
		if _, err := access.Append(ctx, "lobby", entry); err != nil {
			log.Fatal(err)
		}
	}

	ready := make(chan struct{}, 1)
	reader, err := access.Follow("lobby", streams.Newest(50), func(*streams.Reader) {
		select {
		case ready <- struct{}{}:
		default: // the loop below is about to read anyway
		}
	})
	if err != nil {
		log.Fatal(err)
	}
	for read := 0; read < 2; {
		next, err := reader.Next(ctx)
		switch {
		case err != nil:
			log.Print(err)
			<-ready
		case next.Followed != nil:
			fmt.Println("state:", next.Followed.State)
		case next.Batch != nil:
			for _, entry := range next.Batch.Entries {
				fmt.Printf("%d %s: %s\n", entry.Number, entry.User.Name, entry.Text)
				read++
			}
		case next.IsEmpty():
			<-ready
		}
	}

	reader.Close()
	stop()
	if err := <-stopped; err != nil {
		log.Print(err)
	}
	if err := store.Close(); err != nil {
		log.Print(err)
	}
	// Output:
	// state: fresh
	// 1 Ada: Hello
	// 2 Ada: Is anyone here?
}
