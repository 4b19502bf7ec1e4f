//go:build unix && !race

package e2e

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"
)

func TestCostOfCatchingUpOnThirtyThousandEntries(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	const count = 30_000
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	token := server.SignIn("Ada")
	reader := &resumingClient{t: t, token: token, cursor: "0-0"}
	reader.connect(server)
	writers := make([]*member, 16)
	for i := range writers {
		writers[i] = join(t.Context(), t, "lobby", token, server)
	}
	writers[0].send(t.Context(), "the last message before the disconnection")
	reader.read(1)
	reader.Cut()
	var writing sync.WaitGroup
	for _, writer := range writers {
		writing.Go(func() {
			for i := range count / len(writers) {
				if _, err := writer.send(t.Context(), fmt.Sprint("missed ", i)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	writing.Wait()
	stored := len(apptest.Entries(t, redis, "lobby"))
	began := time.Now()
	reader.connect(server)
	reader.read(stored)
	t.Logf("%d missed entries arrived within %v", stored-1, time.Since(began))
}
