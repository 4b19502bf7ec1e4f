package main

import (
	"fmt"
	"testing"

	"burble/app/apptest"
	"burble/app/blobs"
	"burble/streams/conns"
)

func TestConnectionsInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "../README.md",
		fmt.Sprintf("opens at most %d connections to Redis; in a Cluster, %d per primary", conns.MaxPerRedis, conns.MaxPerRedis-1),
	)
}

func TestDownloadLifetimeInDocs(t *testing.T) {
	t.Parallel()
	minutes := int(blobs.PresignedLifetime.Minutes()) // browsers cache files as long as their URL is valid
	apptest.ExpectDoc(t, "THREATS.md",
		fmt.Sprintf("for %d more minutes", minutes),
		fmt.Sprintf("The URL works for %d minutes", minutes),
	)
}
