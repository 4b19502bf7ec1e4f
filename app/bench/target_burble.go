//go:build linux

package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// burble is the program of Burble.
type burble struct {
	Path     string // of the executable; empty: it is built
	Folder   string // for the executable and what it is built with
	Profiles string // folder for profiles; empty: none are taken
}

// build builds the server once and returns its path. For profiles, an overlay adds a
// file to the build; the source tree stays as it is.
func (b *burble) build(ctx context.Context) (string, error) {
	if b.Path != "" {
		return b.Path, nil
	}
	program := filepath.Join(b.Folder, "burble")
	args := []string{"build", "-o", program}
	if b.Profiles != "" {
		overlay, err := b.writeProfileOverlay(ctx)
		if err != nil {
			return "", err
		}
		args = append(args, "-overlay", overlay)
	}
	if output, err := exec.CommandContext(ctx, "go", append(args, "burble/app")...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build Burble (run the bench in its repository, or with -burble): %w\n%s", err, output)
	}
	b.Path = program
	return program, nil
}

// start starts Burble on the Redis, without rate limits.
func (b *burble) start(ctx context.Context, r *redisServer) (*process, int, error) {
	program, err := b.build(ctx)
	if err != nil {
		return nil, 0, err
	}
	env := []string{"PORT=0", "REDIS_URL=" + r.url(), "LOG_FORMAT=json",
		"RATE_MESSAGES=0", "RATE_ADDRESS=0", "RATE_CONNECTIONS=0"}
	if b.Profiles != "" {
		os.Remove(b.profileSocket()) // of an earlier run
		env = append(env, profileVariable+"="+b.profileSocket())
	}
	return startServer(ctx, env, program)
}

// launch starts Burble without rate limits, and creates the users of the workload. The caller
// must call Stop.
func (b *burble) launch(ctx context.Context, w workload, r *redisServer) (*server, error) {
	process, port, err := b.start(ctx, r)
	if err != nil {
		return nil, err
	}
	tokens, err := burbleTokens(ctx, port, w.Users)
	if err != nil {
		process.kill()
		return nil, err
	}
	socket := burbleSocket(tokens, w.Deflate)
	s := &server{protocol: socket, Port: port, pids: []int{process.pid()}, redisPIDs: r.pids, Stop: process.kill}
	if w.Transport == sse {
		s.protocol, s.sending = burbleEvents(), socket
	}
	return s, nil
}

// burbleSocket returns the WebSocket protocol of app/PROTOCOL.md. Clients use the tokens in turn.
func burbleSocket(tokens []string, deflate bool) *protocol {
	return &protocol{
		request: func(client, _ int) string {
			return upgradeRequest("/ws", "Sec-WebSocket-Protocol: burble.v1", "Authorization: Bearer "+tokens[client%len(tokens)])
		},
		follow: func(rooms []int) [][]byte {
			return burbleFollow(rooms, `"last":0,"deflate":`+strconv.FormatBool(deflate))
		},
		joined:  `{"type":"followed"`,
		refused: `{"type":"error"`,
		message: func(room int, text, key string) string {
			return fmt.Sprintf(`{"type":"send","room":"%s","key":"%s","text":"%s"}`, roomName(room), key, text)
		},
	}
}

// followNewest has clients of a Burble read the newest entries of each room first, so many.
func (s *server) followNewest(entries int) {
	s.protocol.follow = func(rooms []int) [][]byte { return burbleFollow(rooms, fmt.Sprintf(`"last":%d`, entries)) }
}

// resumeFrom has clients of a Burble continue from a cursor in the address, as the page does.
func (s *server) resumeFrom(cursor string, deflate bool) {
	request := s.protocol.request
	s.protocol.request = func(client, room int) string {
		address := fmt.Sprintf("/ws?room=%s&after=%s&deflate=%t ", roomName(room), cursor, deflate)
		return strings.Replace(request(client, room), "/ws ", address, 1)
	}
	s.protocol.follow = func([]int) [][]byte { return nil }
}

// burbleFollow returns a follow frame for each room, with further fields as JSON.
func burbleFollow(rooms []int, fields string) [][]byte {
	frames := make([][]byte, len(rooms))
	for i, room := range rooms {
		frames[i], _ = clientFrame(opText, fmt.Appendf(nil, `{"type":"follow","room":"%s",%s}`, roomName(room), fields))
	}
	return frames
}

// burbleEvents returns the protocol of server-sent events.
func burbleEvents() *protocol {
	return &protocol{
		request: func(_, room int) string {
			return "GET /r/" + roomName(room) + "/events?last=0 HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream"
		},
		follow:   func([]int) [][]byte { return nil },
		joined:   "event: followed",
		unframed: true,
	}
}

// burbleTokens creates users and returns their tokens.
func burbleTokens(ctx context.Context, port, count int) ([]string, error) {
	tokens := make([]string, 0, count)
	for i := range count {
		body := strings.NewReader(`{"name":"Guest ` + strconv.Itoa(i+1) + `"}`)
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("http://127.0.0.1:%d/session", port), body)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Content-Type", "application/json")
		var session struct{ Token string }
		if err := requestJSON(request, &session); err != nil {
			return nil, err
		}
		tokens = append(tokens, session.Token)
	}
	return tokens, nil
}
