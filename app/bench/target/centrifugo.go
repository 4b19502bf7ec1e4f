//go:build linux

package target

import (
	"errors"
	"fmt"

	"burble/app/bench/load"
	"burble/app/bench/wire"
)

// Centrifugo is a running Centrifugo that allows anonymous clients to subscribe and publish. For the
// protocol, see https://centrifugal.dev/docs/transports/client_protocol.
type Centrifugo struct {
	Port      int // 0 if not configured
	PIDs      []int
	RedisPIDs []int // of its Redis
}

// connect returns the running server.
func (c Centrifugo) connect(w load.Workload) (*Server, error) {
	if c.Port == 0 {
		return nil, errors.New("target centrifugo: set -centrifugo to the port of a running Centrifugo")
	}
	if w.Transport != load.WebSocket {
		return nil, errors.New("target centrifugo supports only WebSockets")
	}
	p := &load.Protocol{
		Request: func(_, _ int) string { return wire.UpgradeRequest("/connection/websocket") },
		Follow: func(rooms []int) [][]byte {
			first, _ := wire.ClientFrame(wire.OpText, []byte(`{"id":1,"connect":{}}`))
			frames := [][]byte{first}
			for i, room := range rooms {
				frame, _ := wire.ClientFrame(wire.OpText, fmt.Appendf(nil, `{"id":%d,"subscribe":{"channel":"%s"}}`, i+2, wire.RoomName(room)))
				frames = append(frames, frame)
			}
			return frames
		},
		JoinedText: `"subscribe":{`,
		ErrorText:  `"error":{"code"`,
		Message: func(room int, text, _ string) string {
			return fmt.Sprintf(`{"id":9,"publish":{"channel":"%s","data":{"text":"%s"}}}`, wire.RoomName(room), text)
		},
	}
	return &Server{protocol: p, Port: c.Port, pids: c.PIDs, redisPIDs: c.RedisPIDs, Stop: func() {}}, nil
}
