package client_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"

	"burble/app/client"
)

// This bot welcomes users who write hello in the lobby. It saves its cursor, so it resumes after a
// restart, whether of the server or of the bot itself. Append retries a greeting with the same key, so
// the room gets it once.
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
	greetings := make(chan client.Message, 100)
	bot := &client.Bot{
		Servers: []*client.Server{server},
		Follows: []client.Follow{{Room: "lobby", After: string(cursor), Last: 0}},
	}
	bot.Handle = func(frame client.Frame) {
		batch, ok := frame.(*client.Entries)
		if !ok {
			return
		}
		for _, entry := range batch.Entries {
			if entry.Kind == "message" && strings.HasPrefix(entry.Text, "hello") {
				greetings <- client.Message{
					Room: "lobby", Key: client.NewKey(), Text: fmt.Sprintf("Welcome, %s!", entry.User.Name), ReplyTo: entry.ID,
				}
			}
		}
		if err := os.WriteFile("cursor", []byte(batch.Upto), 0o600); err != nil {
			log.Print(err)
		}
	}
	go func() {
		for greeting := range greetings {
			if _, err := bot.Append(ctx, greeting); err != nil {
				log.Print(err)
			}
		}
	}()
	if err := bot.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
