// Package socket serves one WebSocket client: it reads the client's frames, does what each
// asks for, in order, and answers. What the client follows is written by the client's
// live.Feed at the same time.
//
//	server := &socket.Server{Chat: chat, Engine: engine, Frames: rate, Log: log}
//	err := engine.Start(conn, live.WebSocket, user.ID, head, func(feed *live.Feed) {
//		server.Serve(feed, socket.Client{Conn: conn, Input: conn, User: user, Address: address})
//	})
//
// Serve runs in the connection's own goroutine; nothing else touches a client's state.
package socket
