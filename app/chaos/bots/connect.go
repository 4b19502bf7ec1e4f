package bots

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"burble/app/chaos/check"
	"burble/app/client"
)

// transport opens a connection for each request, because faults break connections.
var transport = &http.Transport{
	DisableKeepAlives: true, DisableCompression: true,
	DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, ResponseHeaderTimeout: check.ReplyLimit,
}

// ServerAt returns a client for the server at addr.
func ServerAt(addr, token string) *client.Server {
	return &client.Server{URL: "http://" + addr, Token: token, Transport: transport}
}

// readFunc follows rooms until the connection ends, and passes each frame to handle.
type readFunc func(ctx context.Context, server *client.Server, follows []client.Follow, handle func(client.Frame) error) error

// protocols maps each protocol to the function that reads rooms over it. Only WebSocket can read
// more than one room.
var protocols = map[string]readFunc{"websocket": readWebSocket, "sse": readHTTPStream(client.SSE), "ndjson": readHTTPStream(client.NDJSON)}

func readWebSocket(ctx context.Context, server *client.Server, follows []client.Follow, handle func(client.Frame) error) error {
	socket, err := server.Dial(ctx, follows...)
	if err != nil {
		return err
	}
	defer socket.Cut()
	defer context.AfterFunc(ctx, socket.Cut)()
	return handleAll(socket.Next, handle)
}

func readHTTPStream(format string) readFunc {
	return func(ctx context.Context, server *client.Server, follows []client.Follow, handle func(client.Frame) error) error {
		if len(follows) != 1 {
			return fmt.Errorf("follow %d rooms over HTTP: only one is possible", len(follows))
		}
		stream, err := server.Live(ctx, follows[0], format)
		if err != nil {
			return err
		}
		defer stream.Close()
		return handleAll(stream.Next, handle)
	}
}

// handleAll passes frames from next to handle until one of them returns an error.
func handleAll(next func() (client.Frame, error), handle func(client.Frame) error) error {
	for {
		frame, err := next()
		if err == nil {
			err = handle(frame)
		}
		if err != nil {
			return err
		}
	}
}
