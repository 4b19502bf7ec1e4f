package web

import (
	"fmt"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/httpguard"
	"burble/app/pages"
	"burble/app/pictures"
	"burble/app/protocol"
	"burble/app/throttle"
	"burble/app/uploads"
	"burble/streams"
)

func TestWebLimitsInDocs(t *testing.T) {
	t.Parallel()
	rate := func(perSecond float64, burst float64) string {
		return fmt.Sprintf("%v/s | %s |", perSecond, apptest.Grouped(int(burst)))
	}
	const messages, address, connections = 5.0, 50.0, 50.0 // the defaults of RATE_MESSAGES, RATE_ADDRESS and RATE_CONNECTIONS
	apptest.ExpectDoc(t, "PROTOCOL.md",
		fmt.Sprintf("per %d entries of its `limit`", pages.PageSize),
		fmt.Sprintf("1 to %d messages, default %d", protocol.MaxLast, pages.PageSize),
		fmt.Sprintf("the %d most recently active rooms", pages.MaxRooms),
		fmt.Sprintf("names at most %d users", streams.MaxNamed),
		fmt.Sprintf("at most every %d s, with an empty `users`", streams.CountInterval/time.Second),
		fmt.Sprintf("send a request | %d s |", requestTimeout/time.Second),
		fmt.Sprintf("not a live read | %d s |", responseTimeout/time.Second),
		fmt.Sprintf("a pause of %d s, and %d KiB/s on average after the first minute", httpguard.StallTimeout/time.Second, httpguard.MinRate>>10),
		fmt.Sprintf("uploads at once | %d per address, %d in all |", uploads.MaxUploads, uploads.MaxAllUploads),
		fmt.Sprintf("downloads of files at once | %d per address |", uploads.MaxDownloads),
		fmt.Sprintf("%d million pixels, %s frames", pictures.MaxPixels/1_000_000, apptest.Grouped(pictures.MaxFrames)),
		fmt.Sprintf("%d MiB per address and %d MiB in all", throttle.MaxUnread>>20, throttle.MaxAllUnread>>20),
		fmt.Sprintf("%d times as high", throttle.FilesFactor),
		fmt.Sprintf("one more per %d rooms", pages.PageSize),
		fmt.Sprintf("one request per %d ms", throttle.RenderingPerRequest/time.Millisecond),
		"entries stored (`RATE_MESSAGES`) | user | "+rate(messages, 4*messages),
		"`typing` and `read` (`RATE_MESSAGES`) | user | "+rate(messages, 4*messages),
		"frames (`RATE_ADDRESS`) | address | "+rate(address, 4*address),
		"live reads (`RATE_CONNECTIONS`) | address | "+rate(connections, 20*connections),
		fmt.Sprintf("%d × `RATE_CONNECTIONS`", throttle.ConnectionFactor),
		fmt.Sprintf("less %d or more for itself", throttle.OtherFiles+throttle.SpareConnections),
		"open, by default "+apptest.Grouped(int(throttle.ConnectionFactor*connections)),
	)
	apptest.ExpectDoc(t, "THREATS.md",
		fmt.Sprintf("buffers at most %d KiB", throttle.SendBuffer>>10),
	)
}
