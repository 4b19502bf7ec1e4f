package main

import (
	"fmt"
	"testing"

	"burble/app/apptest"
	"burble/streams/conns"
)

func TestConnectionsInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "../README.md",
		fmt.Sprintf("opens at most %d connections to Redis; in a Cluster, %d per primary", conns.MaxPerRedis, conns.MaxPerRedis-1),
	)
}
