// Package socket serves one WebSocket client. It reads the client's frames and handles them one
// after the other, while the client's live.Feed writes the entries of the rooms that the client
// follows.
//
//	server := &socket.Server{Chat: chat, Engine: engine, Frames: rate, LogError: logError}
//	err := engine.Start(conn, live.WebSocket, user.ID, head, func(feed *live.Feed) {
//		server.Serve(feed, &socket.Client{Conn: conn, Input: conn, User: user, Address: address})
//	})
//
// Serve runs in the connection's own goroutine. It hands some work to a worker goroutine and waits
// for it (see live.Engine.RunOnWorker). No other goroutine uses the state of a client.
package socket
