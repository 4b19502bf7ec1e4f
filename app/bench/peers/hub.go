//go:build linux

package peers

import (
	"context"
	"encoding/json"
	"net"
	"sync"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
	"github.com/redis/go-redis/v9"
)

// hub is the chat server from many tutorials, with a map of clients, a history in a Redis list, and
// one goroutine that writes each message to every client.
type hub struct {
	redis    *redis.Client
	messages chan roomMessage

	mu      sync.Mutex
	clients map[string]map[*websocket.Conn]bool // by room
}

type roomMessage struct {
	room    string
	message chatMessage
}

// chatMessage is a message in the format of the tutorials.
type chatMessage struct {
	Username string `json:"username"`
	Text     string `json:"text"`
}

func serveHub(ctx context.Context, p peer, listener net.Listener) error {
	h := &hub{redis: p.redisClient(10), messages: make(chan roomMessage), clients: map[string]map[*websocket.Conn]bool{}}
	go h.writeToAll(ctx)
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/ws", websocket.New(func(conn *websocket.Conn) { h.serve(ctx, conn) }))
	return app.Listener(listener)
}

// serve sends the room's history to a client, and reads the client's messages.
func (h *hub) serve(ctx context.Context, conn *websocket.Conn) {
	room := conn.Query("room")
	if err := h.join(ctx, room, conn); err != nil {
		return
	}
	for {
		var message chatMessage
		if err := conn.ReadJSON(&message); err != nil {
			h.mu.Lock()
			delete(h.clients[room], conn)
			h.mu.Unlock()
			return
		}
		h.messages <- roomMessage{room, message}
	}
}

func (h *hub) join(ctx context.Context, room string, conn *websocket.Conn) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.clients[room] == nil {
		h.clients[room] = map[*websocket.Conn]bool{}
	}
	h.clients[room][conn] = true
	history, err := h.redis.LRange(ctx, room, -50, -1).Result()
	if err != nil {
		return err
	}
	for _, text := range history {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
			return err
		}
	}
	return conn.WriteMessage(websocket.TextMessage, []byte(JoinedText))
}

// writeToAll appends each message to the list and writes it to each client in the room. It encodes
// the message once, unlike the tutorials, which encode it for each client.
func (h *hub) writeToAll(ctx context.Context) {
	for next := range h.messages {
		text, err := json.Marshal(next.message)
		if err == nil {
			err = h.redis.RPush(ctx, next.room, text).Err()
		}
		if err != nil {
			continue
		}
		h.mu.Lock()
		for conn := range h.clients[next.room] {
			if conn.WriteMessage(websocket.TextMessage, text) != nil {
				conn.Close()
				delete(h.clients[next.room], conn)
			}
		}
		h.mu.Unlock()
	}
}
