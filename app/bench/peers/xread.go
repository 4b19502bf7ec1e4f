//go:build linux

package peers

import (
	"context"
	"encoding/json"
	"net"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
	"github.com/redis/go-redis/v9"
)

// xread is a naive version of Burble, in which each connection has its own blocking XREAD.
type xread struct{ redis *redis.Client }

func serveXRead(ctx context.Context, p peer, listener net.Listener) error {
	x := &xread{redis: p.redisClient(p.clients + 10)}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/ws", websocket.New(func(conn *websocket.Conn) { x.serve(ctx, conn) }))
	return app.Listener(listener)
}

// serve appends the client's messages. Only follow writes to the connection.
func (x *xread) serve(ctx context.Context, conn *websocket.Conn) {
	room := conn.Query("room")
	ctx, cancel := context.WithCancel(ctx)
	following := make(chan struct{})
	go func() { defer close(following); x.follow(ctx, room, conn) }()
	defer func() { cancel(); <-following }()
	for {
		var message chatMessage
		if conn.ReadJSON(&message) != nil {
			return
		}
		text, _ := json.Marshal(message) // cannot fail: it has only strings
		x.redis.XAdd(ctx, &redis.XAddArgs{Stream: room, Values: []any{"message", text}})
	}
}

// follow writes new messages of the room to the connection.
func (x *xread) follow(ctx context.Context, room string, conn *websocket.Conn) {
	after := "0-0"
	newest, err := x.redis.XRevRangeN(ctx, room, "+", "-", 1).Result()
	if err != nil {
		return
	}
	if len(newest) > 0 {
		after = newest[0].ID
	}
	if conn.WriteMessage(websocket.TextMessage, []byte(JoinedText)) != nil {
		return
	}
	for ctx.Err() == nil {
		found, err := x.redis.XRead(ctx, &redis.XReadArgs{Streams: []string{room, after}, Block: time.Second}).Result()
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
