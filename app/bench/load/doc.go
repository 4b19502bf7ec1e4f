// Package load sends messages to a server with many clients, and checks that every client
// receives every message once and in order.
//
// A [Workload] sets how many clients follow which rooms, and how many messages are sent. A
// [Protocol] is how clients speak to one kind of server. [Open] returns a [Load] whose clients
// have joined their rooms. A [Pacer] then sends the messages when they are due, and a
// [Summary] is what the clients measured:
//
//	l, err := load.Open(ctx, port, protocol, nil, work)
//	…
//	pace := l.Pacer(0)
//	l.StartMeasuring()
//	err = pace.Run(ctx)
//	l.Await(ctx, pace, 5*time.Second)
//	summary := l.Finish(pace)
//
// The clients form a [Swarm]. One goroutine per processor, a receiver, reads its share of
// them with epoll and a single buffer. A client's fields belong to its receiver; any
// goroutine may write to its connection. The methods of a Load and of a Swarm are for one
// goroutine, except Joined and Messages, which any goroutine may call.
package load
