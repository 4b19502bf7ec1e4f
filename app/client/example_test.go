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

// A bot that welcomes whoever says hello in the lobby. It survives restarts of the server
// and its own: it saves its cursor, and a greeting repeated under its key is stored once.
func Example() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	server := &client.Server{URL: "http://localhost:8080", Token: os.Getenv("BURBLE_TOKEN")}
	if server.Token == "" {
		if _, err := server.SignIn(ctx, "Greeter"); err != nil {
			log.Fatal(err)
		}
	}

	cursor, _ := os.ReadFile("cursor") // "" the first time: only what comes
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
