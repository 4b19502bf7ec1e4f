package streams_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

// BenchmarkAppendInRedis reports how much CPU time Redis spends on an append, while 64 authors write to 50
// rooms.
func BenchmarkAppendInRedis(b *testing.B) {
	for _, kind := range []string{"public", "private"} {
		b.Run(kind, func(b *testing.B) {
			backend := redistest.Single(b)
			store := redistest.Open(b, streams.Options{Redis: backend.Redis})
			rooms := make([]string, 50)
			for i := range rooms {
				if rooms[i] = fmt.Sprint("room-", i); kind == "private" {
					rooms[i] = privateRoom(b, store, 10)
				}
			}
			by := asAccount(store, 0)
			write := func(count int) {
				var next atomic.Int64
				var writing sync.WaitGroup
				for range 64 {
					writing.Go(func() {
						for i := next.Add(1); i <= int64(count); i = next.Add(1) {
							entry := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: "hello, all"}
							if _, err := by.Append(context.Background(), rooms[i%50], entry); err != nil {
								b.Error(err)
							}
						}
					})
				}
				writing.Wait()
			}
			write(1000)
			before := redisCPU(b, backend.Client)
			b.ResetTimer()
			write(b.N)
			b.StopTimer()
			b.ReportMetric((redisCPU(b, backend.Client)-before)*1e6/float64(b.N), "redis-µs/op")
		})
	}
}

// redisCPU returns the CPU time that Redis has used, in seconds.
func redisCPU(b *testing.B, client redistest.Client) (seconds float64) {
	b.Helper()
	info, err := client.Info(context.Background(), "cpu").Result()
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(info) {
		for _, name := range []string{"used_cpu_user:%g", "used_cpu_sys:%g"} {
			var used float64
			fmt.Sscanf(line, name, &used)
			seconds += used
		}
	}
	return seconds
}
