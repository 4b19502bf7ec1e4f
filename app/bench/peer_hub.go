//go:build linux

package main

import (
	"context"
	"encoding/json"
	"net"
	"sync"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
	"github.com/redis/go-redis/v9"
)

// hub is the chat server of the tutorials: a map of clients, a list in Redis for
// those who come later, and one goroutine that writes each message to all.
type hub struct {
	store    *redis.Client
	messages chan said

	mu      sync.Mutex
	clients map[string]map[*websocket.Conn]bool // by room
}

// said is a message, and the room that it is for.
type said struct {
	room string
	text chat
}

// chat is the tutorials' message.
type chat struct {
	Username string `json:"username"`
	Text     string `json:"text"`
}

func serveHub(ctx context.Context, p peer, listener net.Listener) error {
	h := &hub{store: p.store(10), messages: make(chan said), clients: map[string]map[*websocket.Conn]bool{}}
	go h.writeToAll(ctx)
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/ws", websocket.New(func(conn *websocket.Conn) { h.serve(ctx, conn) }))
	return app.Listener(listener)
}

// serve takes a client in, tells it what was said before, and hears what it says.
func (h *hub) serve(ctx context.Context, conn *websocket.Conn) {
	room := conn.Query("room")
	if err := h.join(ctx, room, conn); err != nil {
		return
	}
	for {
		var text chat
		if err := conn.ReadJSON(&text); err != nil {
			h.mu.Lock()
			delete(h.clients[room], conn)
			h.mu.Unlock()
			return
		}
		h.messages <- said{room, text}
	}
}

func (h *hub) join(ctx context.Context, room string, conn *websocket.Conn) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.clients[room] == nil {
		h.clients[room] = map[*websocket.Conn]bool{}
	}
	h.clients[room][conn] = true
	before, err := h.store.LRange(ctx, room, -50, -1).Result()
	if err != nil {
		return err
	}
	for _, text := range before {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
			return err
		}
	}
	return conn.WriteMessage(websocket.TextMessage, []byte(joinedText))
}

// writeToAll writes each message to the list, and to each client of its room. It is
// kinder than the tutorials, which make the JSON again for each client.
func (h *hub) writeToAll(ctx context.Context) {
	for message := range h.messages {
		text, err := json.Marshal(message.text)
		if err == nil {
			err = h.store.RPush(ctx, message.room, text).Err()
		}
		if err != nil {
			continue
		}
		h.mu.Lock()
		for conn := range h.clients[message.room] {
			if conn.WriteMessage(websocket.TextMessage, text) != nil {
				conn.Close()
				delete(h.clients[message.room], conn)
			}
		}
		h.mu.Unlock()
	}
}
