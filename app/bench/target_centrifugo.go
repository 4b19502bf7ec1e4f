//go:build linux

package main

import (
	"errors"
	"fmt"
)

// centrifugo is a running Centrifugo, whose channels anyone may subscribe and publish to.
// Its protocol: https://centrifugal.dev/docs/transports/client_protocol
type centrifugo struct {
	Port      int // 0: there is none
	PIDs      []int
	RedisPIDs []int // of its Redis
}

// use returns the running server.
func (c centrifugo) use(w workload) (*server, error) {
	if c.Port == 0 {
		return nil, errors.New("target centrifugo needs -centrifugo, the port of a running one")
	}
	if w.Transport != webSocket {
		return nil, errors.New("target centrifugo supports only WebSockets")
	}
	p := &protocol{
		request: func(_, _ int) string { return upgradeRequest("/connection/websocket") },
		follow: func(rooms []int) [][]byte {
			first, _ := clientFrame(opText, []byte(`{"id":1,"connect":{}}`))
			frames := [][]byte{first}
			for i, room := range rooms {
				frame, _ := clientFrame(opText, fmt.Appendf(nil, `{"id":%d,"subscribe":{"channel":"%s"}}`, i+2, roomName(room)))
				frames = append(frames, frame)
			}
			return frames
		},
		joined:  `"subscribe":{`,
		refused: `"error":{"code"`,
		message: func(room int, text, _ string) string {
			return fmt.Sprintf(`{"id":9,"publish":{"channel":"%s","data":{"text":"%s"}}}`, roomName(room), text)
		},
	}
	return &server{protocol: p, Port: c.Port, pids: c.PIDs, redisPIDs: c.RedisPIDs, Stop: func() {}}, nil
}
