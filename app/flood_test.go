package main

import (
	"fmt"
	"net"
	"testing"
	"time"
)

// Whatever kind of frames a client floods its socket with, the socket is closed: none
// of them is free.
func TestFloodOfAnyFramesEndsTheConnection(t *testing.T) {
	s := startAlone(t, func(config *Config) { config.RateAddress = 10; config.TrustedProxy = proxyFly })
	for name, frame := range map[string][]byte{
		"messages":  text(`{"type":"unfollow","room":"lobby"}`),
		"bad ones":  text(`{"type":"shout"}`),
		"pings":     ping("x"),
		"pongs":     rawFrame(fin|opPong, nil),
		"fragments": rawFrame(opMore, nil), // of a message without end
	} {
		socket := s.raw(t, "Fly-Client-IP: 203.0.113.1")
		if name == "fragments" {
			socket.write(rawFrame(opText, nil))
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
			if opcode == opClose {
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

// Nor is a flood let be because the limit allows a part of it: only who hardly sends
// more than that is.
func TestFloodIsEndedThoughAPartOfItIsAllowed(t *testing.T) {
	app := startAlone(t, func(config *Config) { config.RateAddress = 10 }).App
	for perSecond, ended := range map[int]bool{10: false, 15: false, 30: true, 1000: true} {
		client, server := net.Pipe()
		defer client.Close()
		defer server.Close()
		s := &session{feed: feed{app: app, conn: server}, address: fmt.Sprint(perSecond)}
		for i := range 5000 {
			s.allowFrame(rateStart.Add(time.Duration(i) * time.Second / time.Duration(perSecond)))
		}
		if s.isClosed() != ended {
			t.Errorf("%d frames a second: ended is %v", perSecond, s.isClosed())
		}
	}
}

// deadlines counts how often a read deadline is set.
type deadlines struct {
	net.Conn
	set int
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	d.set++
	return d.Conn.SetReadDeadline(at)
}

// A message has its time as a whole: who sends it a frame at a time, and pings
// between, has no more of it.
func TestMessageInManyFramesHasTheTimeOfOne(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()
	conn := &deadlines{Conn: server}
	s := &session{feed: feed{app: startAlone(t).App, conn: conn}, socketReader: newSocketReader(conn)}
	go client.Write(joined(rawFrame(opText, []byte("a")), rawFrame(opMore, nil), rawFrame(fin|opPong, nil), rawFrame(opMore, []byte("b")), rawFrame(fin|opMore, []byte("c"))))
	if message, whole, err := s.message(); string(message) != "abc" || !whole || err != nil || conn.set != 1 {
		t.Errorf("read %q, %v; the deadline was set %d times, want once", message, err, conn.set)
	}
}

// rateStart is when the hand-fed clocks begin.
var rateStart = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
