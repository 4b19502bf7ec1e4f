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

// transport makes a connection for each request, because faults kill connections.
var transport = &http.Transport{
	DisableKeepAlives: true, DisableCompression: true,
	DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, ResponseHeaderTimeout: check.AnswerLimit,
}

// ServerAt returns a client of the server at an address.
func ServerAt(addr, token string) *client.Server {
	return &client.Server{URL: "http://" + addr, Token: token, Transport: transport}
}

// read follows rooms until the connection ends, and handles its frames.
type readFunc func(ctx context.Context, server *client.Server, follows []client.Follow, handle func(client.Frame) error) error

// protocols are the ways to read rooms. Only WebSocket reads more than one.
var protocols = map[string]readFunc{"websocket": readWebSocket, "sse": readLive(client.SSE), "ndjson": readLive(client.NDJSON)}

func readWebSocket(ctx context.Context, server *client.Server, follows []client.Follow, handle func(client.Frame) error) error {
	socket, err := server.Dial(ctx, follows...)
	if err != nil {
		return err
	}
	defer socket.Cut()
	defer context.AfterFunc(ctx, socket.Cut)()
	return handleAll(socket.Next, handle)
}

func readLive(format string) readFunc {
	return func(ctx context.Context, server *client.Server, follows []client.Follow, handle func(client.Frame) error) error {
		if len(follows) != 1 {
			return fmt.Errorf("a live read over HTTP reads one room, not %d", len(follows))
		}
		stream, err := server.Live(ctx, follows[0], format)
		if err != nil {
			return err
		}
		defer stream.Close()
		return handleAll(stream.Next, handle)
	}
}

// handleAll handles frames until next or handle returns an error.
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
