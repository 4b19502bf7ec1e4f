package limit

import (
	"io"
	"net"
	"testing"
	"time"
)

func TestListenerResetsConnectionsOverQuota(t *testing.T) {
	t.Parallel()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	quota := NewQuota(2)
	listener := Listener(inner, quota, func(net.Addr) string { return "all" })
	accepted := make(chan net.Conn)
	go func() {
		defer close(accepted)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	t.Cleanup(func() { listener.Close(); <-accepted })
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.SetDeadline(time.Now().Add(time.Minute))
		return conn
	}
	dial()
	first := <-accepted
	dial()
	second := <-accepted
	defer second.Close()
	if quota.Held("all") != 2 {
		t.Errorf("%d connections counted, want 2", quota.Held("all"))
	}
	if conn, err := net.Dial("tcp", inner.Addr().String()); err == nil { // may be reset at once
		conn.SetDeadline(time.Now().Add(time.Minute))
		if _, err := conn.Read(make([]byte, 1)); err == nil || err == io.EOF {
			t.Errorf("reading from a connection over the quota: %v, want a reset", err)
		}
		conn.Close()
	}
	first.Close()
	first.Close() // must not release its share twice
	dial()
	third := <-accepted
	defer third.Close()
	if quota.Held("all") != 2 {
		t.Errorf("%d connections counted after one was replaced, want 2", quota.Held("all"))
	}
}
