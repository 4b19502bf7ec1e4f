package web

import (
	"burble/app/peer"
	"burble/app/ws"
	"testing"
)

// Whatever kind of frames a client floods its socket with, the socket is closed: none
// of them is free.
func TestFloodOfAnyFramesEndsTheConnection(t *testing.T) {
	s := startOne(t, func(config *settings) { config.RateAddress = 10; config.TrustedProxy = peer.ProxyFly })
	for name, frame := range map[string][]byte{
		"messages":  text(`{"type":"unfollow","room":"lobby"}`),
		"bad ones":  text(`{"type":"shout"}`),
		"pings":     ping("x"),
		"pongs":     rawFrame(fin|ws.OpPong, nil),
		"fragments": rawFrame(opMore, nil), // of a message without end
	} {
		socket := s.raw(t, "Fly-Client-IP: 203.0.113.1")
		if name == "fragments" {
			socket.write(rawFrame(ws.OpText, nil))
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for { // until it is hung up on
				if _, err := socket.conn.Write(frame); err != nil {
					return
				}
			}
		}()
		for {
			opcode, payload, err := socket.frame()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if opcode == ws.OpClose {
				if got := named(t, opcode, payload); got != "close 1008" {
					t.Errorf("%s: %s", name, got)
				}
				break
			}
		}
		socket.conn.Close()
		<-ended
	}
}
