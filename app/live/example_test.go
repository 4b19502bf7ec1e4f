package live_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"

	"burble/app/live"
	"burble/app/protocol"
	"burble/streams"
)

func Example() {
	engine := live.New(live.Options{Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan struct{})
	go func() { defer close(done); engine.Run(ctx) }()

	server, client := net.Pipe()
	err := engine.Start(server, live.NDJSON(false), "", nil, func(feed *live.Feed) {
		open := func(ready func(*streams.Reader)) (*streams.Reader, error) {
			return nil, streams.ErrUnavailable // a real server calls chat.Service.Follow here
		}
		if err := feed.Follow("lobby", protocol.BatchFormat{}, open); err != nil {
			feed.Write(append(protocol.EncodeError(protocol.AsError(err), "lobby", ""), '\n'))
		}
		feed.WaitClosed()
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	lines := bufio.NewReader(client)
	line, _ := lines.ReadString('\n')
	fmt.Print(line)
	engine.SetStatus(true)
	line, _ = lines.ReadString('\n')
	fmt.Print(line)

	client.Close()
	engine.Drain(ctx)
	cancel()
	<-done
	// Output:
	// {"type":"error","code":"unavailable","message":"Chat storage is unavailable. Try again with the same key.","room":"lobby","retry_after_ms":2000}
	// {"type":"status","redis":"away"}
}
