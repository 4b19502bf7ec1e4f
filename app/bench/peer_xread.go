//go:build linux

package main

import (
	"context"
	"encoding/json"
	"net"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
	"github.com/redis/go-redis/v9"
)

// xread is the naive form of Burble's own idea: rooms are streams, and each
// connection blocks in an XREAD of its own.
type xread struct{ store *redis.Client }

func serveXRead(ctx context.Context, p peer, listener net.Listener) error {
	x := &xread{store: p.store(p.clients + 10)}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/ws", websocket.New(func(conn *websocket.Conn) { x.serve(ctx, conn) }))
	return app.Listener(listener)
}

// serve appends what the client says. It writes nothing: the reading goroutine does.
func (x *xread) serve(ctx context.Context, conn *websocket.Conn) {
	room := conn.Query("room")
	ctx, cancel := context.WithCancel(ctx)
	reading := make(chan struct{})
	go func() { defer close(reading); x.read(ctx, room, conn) }()
	defer func() { cancel(); <-reading }()
	for {
		var text chat
		if conn.ReadJSON(&text) != nil {
			return
		}
		whole, _ := json.Marshal(text) // strings only: cannot fail
		x.store.XAdd(ctx, &redis.XAddArgs{Stream: room, Values: []any{"message", whole}})
	}
}

// read writes what the room has, from its end on.
func (x *xread) read(ctx context.Context, room string, conn *websocket.Conn) {
	after := "0-0"
	newest, err := x.store.XRevRangeN(ctx, room, "+", "-", 1).Result()
	if err != nil {
		return
	}
	if len(newest) > 0 {
		after = newest[0].ID
	}
	if conn.WriteMessage(websocket.TextMessage, []byte(joinedText)) != nil {
		return
	}
	for ctx.Err() == nil {
		found, err := x.store.XRead(ctx, &redis.XReadArgs{Streams: []string{room, after}, Block: time.Second}).Result()
		if err != nil && err != redis.Nil {
			return
		}
		for _, stream := range found {
			for _, message := range stream.Messages {
				text, _ := message.Values["message"].(string)
				if conn.WriteMessage(websocket.TextMessage, []byte(text)) != nil {
					return
				}
				after = message.ID
			}
		}
	}
}
