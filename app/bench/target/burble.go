//go:build linux

package target

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"burble/app/bench/load"
	"burble/app/bench/proc"
	"burble/app/bench/wire"
)

// Burble builds and starts Burble.
type Burble struct {
	Path     string // path of the executable; if empty, it is built
	Folder   string // folder for the executable and the files to build it
	Profiles string // folder for profiles; if empty, none are taken
}

// Build builds the server on the first call, and returns its path. If profiles are requested, it adds
// a file to the build with an overlay, and does not change the source tree.
func (b *Burble) Build(ctx context.Context) (string, error) {
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
		return "", fmt.Errorf("build Burble (run the bench in Burble's repository, or use -burble): %w\n%s", err, output)
	}
	b.Path = program
	return program, nil
}

// start starts Burble on the Redis, without rate limits.
func (b *Burble) start(ctx context.Context, r *proc.Redis) (*proc.Process, int, error) {
	program, err := b.Build(ctx)
	if err != nil {
		return nil, 0, err
	}
	env := []string{"PORT=0", "REDIS_URL=" + r.URL(), "LOG_FORMAT=json",
		"RATE_MESSAGES=0", "RATE_ADDRESS=0", "RATE_CONNECTIONS=0"}
	if b.Profiles != "" {
		os.Remove(b.profileSocket()) // left by an earlier run
		env = append(env, profileVariable+"="+b.profileSocket())
	}
	return proc.StartServer(ctx, env, program)
}

// Launch starts Burble without rate limits, and creates the users of the workload. The caller
// must call Stop.
func (b *Burble) Launch(ctx context.Context, w load.Workload, r *proc.Redis) (*Server, error) {
	process, port, err := b.start(ctx, r)
	if err != nil {
		return nil, err
	}
	name, tokens := wire.RoomName, []string(nil)
	if w.Private {
		name, tokens, err = privateRooms(ctx, r, w)
	} else {
		tokens, err = burbleTokens(ctx, port, w.Users)
	}
	if err != nil {
		process.Kill()
		return nil, err
	}
	socket := burbleSocket(tokens, w.Deflate, name)
	s := &Server{protocol: socket, Port: port, pids: []int{process.PID()}, redisPIDs: r.PIDs, Stop: process.Kill}
	if w.Transport == load.SSE {
		s.protocol, s.sendProtocol = burbleEvents(), socket
	}
	return s, nil
}

// burbleSocket returns the WebSocket protocol of app/PROTOCOL.md. Clients share the tokens.
func burbleSocket(tokens []string, deflate bool, name func(room int) string) *load.Protocol {
	return &load.Protocol{
		Request: func(client, _ int) string {
			return wire.UpgradeRequest("/ws", "Sec-WebSocket-Protocol: burble.v1", "Authorization: Bearer "+tokens[client%len(tokens)])
		},
		Follow: func(rooms []int) [][]byte {
			return burbleFollow(rooms, name, `"last":0,"deflate":`+strconv.FormatBool(deflate))
		},
		JoinedText: `{"type":"followed"`,
		ErrorText:  `{"type":"error"`,
		Message: func(room int, text, key string) string {
			return fmt.Sprintf(`{"type":"send","room":"%s","key":"%s","text":"%s"}`, name(room), key, text)
		},
	}
}

// FollowNewest makes the clients of Burble start with the newest entries of each room.
func (s *Server) FollowNewest(entries int) {
	s.protocol.Follow = func(rooms []int) [][]byte {
		return burbleFollow(rooms, wire.RoomName, fmt.Sprintf(`"last":%d`, entries))
	}
}

// ResumeFrom makes the clients of Burble resume from a cursor in the URL, as the web page does.
func (s *Server) ResumeFrom(cursor string, deflate bool) {
	request := s.protocol.Request
	s.protocol.Request = func(client, room int) string {
		address := fmt.Sprintf("/ws?room=%s&after=%s&deflate=%t ", wire.RoomName(room), cursor, deflate)
		return strings.Replace(request(client, room), "/ws ", address, 1)
	}
	s.protocol.Follow = func([]int) [][]byte { return nil }
}

// burbleFollow returns a follow frame for each room. fields are additional JSON fields.
func burbleFollow(rooms []int, name func(room int) string, fields string) [][]byte {
	frames := make([][]byte, len(rooms))
	for i, room := range rooms {
		frames[i], _ = wire.ClientFrame(wire.OpText, fmt.Appendf(nil, `{"type":"follow","room":"%s",%s}`, name(room), fields))
	}
	return frames
}

// burbleEvents returns the protocol of server-sent events.
func burbleEvents() *load.Protocol {
	return &load.Protocol{
		Request: func(_, room int) string {
			return "GET /r/" + wire.RoomName(room) + "/events?last=0 HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream"
		},
		Follow:     func([]int) [][]byte { return nil },
		JoinedText: "event: followed",
		Unframed:   true,
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
		if err := RequestJSON(request, &session); err != nil {
			return nil, err
		}
		tokens = append(tokens, session.Token)
	}
	return tokens, nil
}
