//go:build unix

package e2e

import (
	"math/rand/v2"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"
)

const messagesEach = 128 // messages of each talker

func TestEveryClientReadsEveryMessageOnceInOneOrder(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	talk := newTalk(t, apptest.Start(t, redis), apptest.Start(t, redis))
	for _, m := range talk.members {
		talk.speaking.Go(func() { talk.speak(m, messagesEach) })
	}
	talk.speaking.Wait()
	talk.compare(redis)
}

func TestNothingIsLostWhenConnectionsAndServersDie(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	servers := []*apptest.Server{apptest.Start(t, redis), apptest.Start(t, redis)}
	talk := newTalk(t, servers...)
	const rounds = 8
	for round := range rounds {
		for _, m := range talk.members {
			talk.speaking.Go(func() { talk.speak(m, messagesEach/rounds) })
		}
		// Somewhere in the middle of this round's messages.
		after := (round*talkers*messagesEach + rand.N(talkers*messagesEach)) / rounds
		apptest.Eventually(t, 30*time.Second, "messages to be stored", func() bool { return talk.count() > after })
		for range 5 {
			talk.members[rand.N(talkers)].cut()
		}
		servers[round%2].Restart()
		talk.speaking.Wait()
	}
	talk.compare(redis)
	connections := 0
	for _, m := range talk.members {
		_, made := m.redisStatuses()
		connections += made
	}
	t.Logf("%d members made %d connections", talkers, connections)
	if connections < talkers+rounds {
		t.Errorf("only %d connections were made: none was cut", connections)
	}
}
