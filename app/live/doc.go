// Package live serves connections that read rooms: WebSocket, server-sent events, NDJSON and
// plain text are codecs of the same read.
//
//	engine := live.New(live.Options{Log: log})
//	go engine.Run(ctx)
//	err := engine.Start(conn, live.WebSocket, userID, head, func(feed *live.Feed) {
//		feed.Follow("lobby", protocol.Form{}, open) // open is chat.Follow for this user
//		feed.WaitClosed()
//	})
//
// A [Feed] is one connection. It pulls: it holds a cursor for each room it follows, and when
// a room has entries after the cursor, a pump reads them and writes them to the connection.
// A connection that is busy simply reads later, from the same cursor, in bigger batches, so
// a slow reader costs no memory beyond one frame.
//
// Which goroutine does what: a few pumps, one for each processor, write entries; at most one of
// them serves a feed at a time, so entries keep their order. A pump never waits for a client or
// for Redis: a feed that would block gets a goroutine of its own until it has caught up. Any
// goroutine may write other frames, under the feed's write lock, or queue heartbeats, presence and
// the status of Redis for the pump, under the feed's lock.
//
// live never calls the store: the caller's open function does, for its user, so nothing here can
// bypass the check of who may read.
package live
