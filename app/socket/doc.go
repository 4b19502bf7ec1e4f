// Package socket serves one WebSocket client: it reads the client's frames and handles them one
// after the other. The client's live.Feed writes the rooms that the client follows at the same
// time.
//
//	server := &socket.Server{Chat: chat, Engine: engine, Frames: rate, LogError: logError}
//	err := engine.Start(conn, live.WebSocket, user.ID, head, func(feed *live.Feed) {
//		server.Serve(feed, socket.Client{Conn: conn, Input: conn, User: user, Address: address})
//	})
//
// Serve runs in the connection's own goroutine. It hands some of the work to another one, see
// live.Engine.RunOnWorker, and waits for it; nothing else touches the state of a client.
package socket
