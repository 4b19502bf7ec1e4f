package client_test

import (
	"context"
	"log"
	"os"
	"os/signal"
	"strings"
	"sync"

	"burble/app/client"

	"github.com/google/uuid"
)

// This bot welcomes users who write hello in the lobby. It saves its cursor once the greetings are stored, so it misses
// no message, even if it is restarted. It may then repeat a greeting, but with the same key, so the room gets it once.
func Example() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	server := &client.Server{URL: "http://localhost:8080", Token: os.Getenv("BURBLE_TOKEN")}
	if server.Token == "" {
		if _, err := server.SignIn(ctx, "Greeter"); err != nil {
			log.Fatal(err)
		}
	}
	cursor, _ := os.ReadFile("cursor") // "" at the first start: read only new entries
	bot := &client.Bot{
		Servers: []*client.Server{server},
		Follows: []client.Follow{{Room: "lobby", After: string(cursor), Last: 0}},
	}

	var mu sync.Mutex
	var queue []*client.Entries // unbounded, because Handle must not wait for Append
	more := make(chan struct{}, 1)
	bot.Handle = func(frame client.Frame) {
		if batch, ok := frame.(*client.Entries); ok {
			mu.Lock()
			queue = append(queue, batch)
			mu.Unlock()
			select {
			case more <- struct{}{}:
			default: // already signaled
			}
		}
	}
	go func() {
		for range more {
			mu.Lock()
			batches := queue
			queue = nil
			mu.Unlock()
			for _, batch := range batches {
				greet(ctx, bot, batch)
			}
		}
	}()
	if err := bot.Run(ctx); err != nil {
		log.Fatal(err)
	}
}

// greet replies to the greetings in a batch, and then saves the cursor.
func greet(ctx context.Context, bot *client.Bot, batch *client.Entries) {
	for _, entry := range batch.Entries {
		if entry.Kind != "message" || !strings.HasPrefix(entry.Text, "hello") {
			continue
		}
		key := uuid.NewSHA1(uuid.NameSpaceOID, []byte("welcome "+entry.Key)).String()
		welcome := client.Message{Room: "lobby", Key: key, Text: "Welcome, " + entry.User.Name + "!", ReplyTo: entry.ID}
		if _, err := bot.Append(ctx, welcome); err != nil {
			log.Print(err)
		}
	}
	if ctx.Err() != nil {
		return // a greeting may be missing, so the bot must read the batch again
	}
	if err := os.WriteFile("cursor", []byte(batch.Upto), 0o600); err != nil {
		log.Print(err)
	}
}
