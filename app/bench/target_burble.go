//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// buildBurble builds the server once and returns its path. For profiles, an overlay adds a
// file to the build; the source tree stays as it is.
func (b *bench) buildBurble(ctx context.Context) (string, error) {
	if b.burble != "" {
		return b.burble, nil
	}
	program := filepath.Join(b.folder, "burble")
	args := []string{"build", "-o", program}
	if b.profile != "" {
		overlay, err := b.writeProfileOverlay(ctx)
		if err != nil {
			return "", err
		}
		args = append(args, "-overlay", overlay)
	}
	if output, err := exec.CommandContext(ctx, "go", append(args, "burble/app")...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build Burble (run the bench in its repository, or with -burble): %w\n%s", err, output)
	}
	b.burble = program
	return program, nil
}

// startBurble starts Burble on the Redis, without rate limits.
func (b *bench) startBurble(ctx context.Context, r *redisServer) (*process, int, error) {
	program, err := b.buildBurble(ctx)
	if err != nil {
		return nil, 0, err
	}
	env := []string{"PORT=0", "REDIS_URL=" + r.url(), "LOG_FORMAT=json",
		"RATE_MESSAGES=0", "RATE_ADDRESS=0", "RATE_CONNECTIONS=0"}
	if b.profile != "" {
		os.Remove(b.profileSocket()) // of an earlier run
		env = append(env, profileVariable+"="+b.profileSocket())
	}
	return startServer(ctx, env, program)
}

func launchBurble(ctx context.Context, b *bench, w workload, r *redisServer) (*server, error) {
	burble, port, err := b.startBurble(ctx, r)
	if err != nil {
		return nil, err
	}
	tokens, err := burbleTokens(ctx, port, w.Users)
	if err != nil {
		burble.kill()
		return nil, err
	}
	socket := burbleSocket(tokens, w.Deflate)
	s := &server{protocol: socket, port: port, pids: []int{burble.pid()}, redisPids: r.pids, stop: burble.kill}
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

// burbleResume adds a follow from the cursor to the address of a request.
func burbleResume(request func(client, room int) string, cursor string, deflate bool) func(client, room int) string {
	return func(client, room int) string {
		address := fmt.Sprintf("/ws?room=%s&after=%s&deflate=%t ", roomName(room), cursor, deflate)
		return strings.Replace(request(client, room), "/ws ", address, 1)
	}
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

var httpClient = &http.Client{Timeout: 30 * time.Second}

// requestJSON makes a request and decodes the JSON of its response.
func requestJSON(request *http.Request, into any) error {
	response, err := httpClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", request.Method, request.URL.Path, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}
