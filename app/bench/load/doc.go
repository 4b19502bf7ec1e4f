// Package load sends messages to a server with many clients, and checks that every client
// receives every message once and in order.
//
// A [Workload] is the number of clients, rooms and messages. A [Protocol] is what clients send to
// one kind of server. [Open] returns a [Load] whose clients have joined their rooms. A [Pacer] then
// sends the messages on schedule. A [Summary] is what the clients measured:
//
//	l, err := load.Open(ctx, port, protocol, nil, work)
//	…
//	pace := l.Pacer(0)
//	l.StartMeasuring()
//	err = pace.Run(ctx)
//	l.Await(ctx, pace, 5*time.Second)
//	summary := l.Finish(pace)
//
// The clients form a [Swarm]. It has one receiver per processor, a goroutine that reads its share of
// the clients with epoll and a single buffer. Only the receiver uses the fields of its clients, but
// any goroutine may write to a connection. Only one goroutine at a time may call the methods of a
// Load or a Swarm, except Joined and Messages.
package load
