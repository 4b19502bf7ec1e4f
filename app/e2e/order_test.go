//go:build unix

package e2e

import (
	"math/rand/v2"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"
)

const messagesPerMember = 128

func TestEveryClientReadsEveryMessageOnceInOneOrder(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	conversation := startConversation(t, apptest.Start(t, redis), apptest.Start(t, redis))
	for _, m := range conversation.members {
		conversation.sending.Go(func() { conversation.sendMessages(m, messagesPerMember) })
	}
	conversation.sending.Wait()
	conversation.expectAllRead(redis)
}

func TestNothingIsLostWhenConnectionsAndServersDie(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	servers := []*apptest.Server{apptest.Start(t, redis), apptest.Start(t, redis)}
	conversation := startConversation(t, servers...)
	const rounds = 8
	for round := range rounds {
		for _, m := range conversation.members {
			conversation.sending.Go(func() { conversation.sendMessages(m, messagesPerMember/rounds) })
		}
		// The faults come at a random point among this round's messages.
		after := (round*memberCount*messagesPerMember + rand.N(memberCount*messagesPerMember)) / rounds
		apptest.Eventually(t, 30*time.Second, "messages to be stored", func() bool { return conversation.count() > after })
		for range 5 {
			conversation.members[rand.N(memberCount)].cut()
		}
		servers[round%2].Restart()
		conversation.sending.Wait()
	}
	conversation.expectAllRead(redis)
	connections := 0
	for _, m := range conversation.members {
		_, made := m.redisStatuses()
		connections += made
	}
	t.Logf("%d members made %d connections", memberCount, connections)
	if connections < memberCount+rounds {
		t.Errorf("members made %d connections, want at least %d: not every cut or restart ended one", connections, memberCount+rounds)
	}
}
