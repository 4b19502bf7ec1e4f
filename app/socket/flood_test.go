package socket_test

import (
	"testing"

	"burble/app/client"
	"burble/app/ws"
)

// Every kind of frame counts. A client that sends too many is disconnected.
func TestFloodOfAnyFramesClosesTheConnection(t *testing.T) {
	t.Parallel()
	for name, frame := range map[string][]byte{
		"messages":         text(`{"type":"unfollow","room":"lobby"}`),
		"invalid messages": text(`{"type":"shout"}`),
		"pings":            ping("x"),
		"pongs":            client.RawFrame(fin|ws.OpPong, nil),
		"fragments":        client.RawFrame(opContinuation, nil), // of an endless message
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := connect(t, startServer(t, 10))
			if name == "fragments" {
				c.write(client.RawFrame(ws.OpText, nil))
			}
			flooding := make(chan struct{})
			go func() {
				defer close(flooding)
				for { // until the server closes the connection
					if _, err := c.Write(frame); err != nil {
						return
					}
				}
			}()
			defer func() { c.Close(); <-flooding }()
			for {
				opcode, payload, err := c.readFrame()
				if err != nil {
					t.Fatal(err)
				}
				if opcode == ws.OpClose {
					if got := describe(t, opcode, payload); got != "close 1008" {
						t.Errorf("got %s, want close code 1008", got)
					}
					return
				}
			}
		})
	}
}
