package limit

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// failingListener fails a given number of times before it accepts.
type failingListener struct {
	net.Listener
	failures atomic.Int32
}

func (l *failingListener) Accept() (net.Conn, error) {
	if l.failures.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

func startCapacity(t *testing.T, limit, spare int, configure func(*Capacity)) (listener *Capacity, dial func() net.Conn, next func() net.Conn) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	failing := &failingListener{Listener: inner}
	failing.failures.Store(3)
	listener = NewCapacity(failing, limit, spare)
	configure(listener)
	accepted := make(chan net.Conn, 100)
	t.Cleanup(func() {
		listener.Close()
		for conn := range accepted {
			conn.Close()
		}
	})
	dial = func() net.Conn {
		conn, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.SetDeadline(time.Now().Add(time.Minute))
		return conn
	}
	next = func() net.Conn {
		select {
		case conn := <-accepted:
			return conn
		case <-time.After(time.Minute):
			t.Fatal("no connection was accepted")
			return nil
		}
	}
	go func() {
		defer close(accepted)
		for {
			conn, err := listener.Accept()
			if err != nil {
				if !errors.Is(err, net.ErrClosed) {
					t.Error(err)
				}
				return
			}
			accepted <- conn
		}
	}()
	return listener, dial, next
}

func TestListenerRetriesWithoutFileDescriptors(t *testing.T) {
	t.Parallel()
	var logged atomic.Int32
	_, dial, next := startCapacity(t, 10, 1, func(listener *Capacity) {
		listener.OnError = func(err error) {
			if !errors.Is(err, syscall.EMFILE) {
				t.Error(err)
			}
			logged.Add(1)
		}
	})
	dial()
	next()
	if logged.Load() != 1 {
		t.Errorf("%d errors were logged, want 1", logged.Load())
	}
}

func TestConnectionsAboveTheCapacityAreSpare(t *testing.T) {
	t.Parallel()
	listener, dial, next := startCapacity(t, 4, 2, func(*Capacity) {})
	var open []net.Conn
	for range 4 {
		dial()
		if open = append(open, next()); IsSpare(open[len(open)-1]) {
			t.Fatal("a connection within the capacity is spare")
		}
	}
	var clients []net.Conn
	for range 3 {
		clients = append(clients, dial())
		if !IsSpare(next()) {
			t.Fatal("a connection above the capacity is not spare")
		}
	}
	if _, err := clients[0].Read(make([]byte, 1)); err == nil || errors.Is(err, io.ErrNoProgress) {
		t.Errorf("the oldest spare connection: %v, want it closed", err)
	}
	open[0].Close()
	open[0].Close() // does not release a second share
	dial()
	if IsSpare(next()) {
		t.Error("a closed connection still counts")
	}
	dial()
	if !IsSpare(next()) {
		t.Error("one connection was released twice")
	}
	listener.mu.Lock()
	defer listener.mu.Unlock()
	if len(listener.spare) != 2 {
		t.Errorf("%d spare connections, want 2", len(listener.spare))
	}
}

func TestOneAddressCannotExhaustTheCapacity(t *testing.T) {
	t.Parallel()
	_, dial, next := startCapacity(t, 8, 4, func(listener *Capacity) {
		listener.Key = func(net.Addr) string { return "one" }
	})
	for i, want := range []bool{false, false, false, false, false, false, true, true} {
		dial()
		if got := IsSpare(next()); got != want {
			t.Fatalf("connection %d: IsSpare = %v, want %v", i, got, want)
		}
	}
}
