package main

import (
	"burble/app/apptest"
	"burble/app/protocol"
	"burble/streams"
	"fmt"
	"testing"
	"time"
)

func TestWebLimitsInDocs(t *testing.T) {
	t.Parallel()
	config, err := ParseConfig(nil, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	rate := func(perSecond float64, burst float64) string {
		return fmt.Sprintf("%v/s | %s |", perSecond, apptest.Grouped(int(burst)))
	}
	messages, address, connections := config.RateMessages, config.RateAddress, config.RateConnections
	apptest.ExpectDoc(t, "PROTOCOL.md",
		fmt.Sprintf("per %d entries of its `limit`", pageOf),
		fmt.Sprintf("1 to %d messages, default %d", protocol.MaxLast, pageOf),
		fmt.Sprintf("the %d most recently active rooms", roomsListed),
		fmt.Sprintf("names at most %d users", streams.MaxNamed),
		fmt.Sprintf("at most every %d s, with an empty `users`", streams.CountInterval/time.Second),
		fmt.Sprintf("send a request | %d s |", requestTime/time.Second),
		fmt.Sprintf("not a live read | %d s |", answerTime/time.Second),
		fmt.Sprintf("%d MiB per address", unreadMost>>20),
		"entries stored (`RATE_MESSAGES`) | user | "+rate(messages, 4*messages),
		"`typing` and `read` (`RATE_MESSAGES`) | user | "+rate(messages, 4*messages),
		"frames (`RATE_ADDRESS`) | address | "+rate(address, 4*address),
		"live reads (`RATE_CONNECTIONS`) | address | "+rate(connections, 20*connections),
		fmt.Sprintf("%d × `RATE_CONNECTIONS`", connectionsMost),
		"open, by default "+apptest.Grouped(int(connectionsMost*connections)),
	)
}
