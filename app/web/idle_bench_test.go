package web

import (
	"fmt"
	"runtime"
	"testing"
)

// BenchmarkIdleSocket reports the memory of an idle socket, with its client, for a guest and for an account.
func BenchmarkIdleSocket(b *testing.B) {
	const sockets = 1000
	for _, kind := range []string{"guest", "account"} {
		b.Run(kind, func(b *testing.B) {
			s := startServer(b, newMiniredis(b))
			users := make([]testUser, sockets)
			for i := range users {
				users[i] = s.signIn(fmt.Sprint("user ", i))
				if kind == "account" {
					users[i], _ = s.upgrade(users[i])
				}
			}
			for b.Loop() {
				before := memoryInUse()
				open := make([]*testSocket, sockets)
				for i, user := range users {
					open[i] = s.connect(user)
					open[i].follow("lobby", `,"watch":true`)
				}
				b.ReportMetric(float64(memoryInUse()-before)/sockets, "B/socket")
				for _, socket := range open {
					socket.Cut()
				}
			}
		})
	}
}

// memoryInUse returns the bytes of the heap and the stacks that are in use.
func memoryInUse() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc + stats.StackInuse)
}
