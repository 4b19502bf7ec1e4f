package live

import (
	"context"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestHeartbeatsAreDueAfterInterval(t *testing.T) {
	t.Parallel()
	r := &registry{heartbeat: 20 * time.Second}
	f := &Feed{}
	r.add(f)
	now := time.Now()
	if due := r.due(now.Add(10 * time.Second)); len(due) > 0 {
		t.Errorf("%d heartbeats are due early, want 0", len(due))
	}
	if due := r.due(now.Add(20 * time.Second)); !slices.Equal(due, []*Feed{f}) {
		t.Errorf("after the interval, %v are due, want %v", due, f)
	}
	if due := r.due(now.Add(25 * time.Second)); len(due) > 0 {
		t.Errorf("%d more heartbeats are due after 5 s, want 0", len(due))
	}
}

// idleConn is a connection without traffic.
type idleConn struct{ net.Conn }

func (idleConn) SetReadDeadline(time.Time) error { return nil }

func TestDrainSpreadsClosing(t *testing.T) {
	t.Parallel()
	for count, want := range map[int]time.Duration{1: 0, 10: 200 * time.Millisecond, 10_000: drainSpread} {
		synctest.Test(t, func(t *testing.T) {
			r, began := &registry{feeds: make(map[*Feed]time.Time)}, time.Now()
			for range count {
				r.feeds[&Feed{conn: idleConn{}}] = began
			}
			r.drain(context.Background())
			if took := time.Since(began); took > want || took < want*9/10 {
				t.Errorf("%d feeds: closing took %v, want about %v", count, took, want)
			}
		})
	}
}
