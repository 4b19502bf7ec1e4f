//go:build unix && !race

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"
)

// With the default limits, one address can neither fill Redis nor create an unlimited number of rooms,
// however many users it has.
func TestCostOfAddressThatFillsRedis(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis, "RATE_MESSAGES=", "RATE_ADDRESS=", "RATE_CONNECTIONS=")
	memory := func() int {
		c := redis.Client()
		defer c.Close()
		return redisStat(t, c, "used_memory")
	}
	text := strings.Repeat("\U0001F600", 4000)
	var tokens []string
	for i := range 20 {
		tokens = append(tokens, server.SignIn(fmt.Sprint("user ", i)))
	}
	before, began := memory(), time.Now()
	stored := 0
	for i := 0; time.Since(began) < 10*time.Second; i++ {
		if status, _ := server.Post(tokens[i%len(tokens)], "lobby", client.NewKey(), text); status == http.StatusCreated {
			stored++
		}
	}
	grown, took := memory()-before, time.Since(began)
	t.Logf("in %v Redis grew by %d KB with %d messages", took.Round(time.Second), grown>>10, stored)
	const burst, perSecond = 2 << 20, 32 << 10
	if most := 2 * (burst + int(took.Seconds())*perSecond); grown > most {
		t.Errorf("Redis grew by %d KB in %v, want at most %d", grown>>10, took, most>>10)
	}
	time.Sleep(2 * time.Second) // until the limit on bytes allows a short message again
	rooms := 0
	for i := range 100 {
		if status, _ := server.Post(tokens[i%len(tokens)], fmt.Sprint("spam-", i), client.NewKey(), "buy"); status == http.StatusCreated {
			rooms++
		}
	}
	t.Logf("100 messages to 100 new rooms created %d of them", rooms)
	if rooms > 25 {
		t.Errorf("%d new rooms, want about 20", rooms)
	}
}
