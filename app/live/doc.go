// Package live streams rooms to connections. A [Codec] encodes the stream as WebSocket frames,
// server-sent events, NDJSON or plain text.
//
//	engine := live.New(live.Options{Log: log})
//	go engine.Run(ctx)
//	err := engine.Start(conn, live.WebSocket, userID, head, func(feed *live.Feed) {
//		feed.Follow("lobby", protocol.BatchFormat{}, open) // open is chat.Follow for this user
//		feed.WaitClosed()
//	})
//
// A [Feed] is one connection. It has a cursor for each room that it follows. When a room has entries
// after the cursor, a pump reads them and writes them to the connection. A slow connection simply reads
// later from the same cursor, in bigger batches, so it needs no memory beyond one frame.
//
// Pumps are goroutines, one per processor, that write entries. At most one of them serves a feed at
// a time, which keeps entries in order. A pump never waits for a client or for Redis. A feed that
// would block gets its own goroutine until it has caught up. Any goroutine may write other frames
// while holding the feed's write lock, or queue heartbeats, presence and the status of Redis while
// holding the feed's lock.
//
// This package never calls the store. The caller opens each reader on behalf of its user, so no code
// here can bypass streams.Access.
package live
