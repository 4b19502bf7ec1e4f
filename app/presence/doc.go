// Package presence tracks the users in each room. A [Presence] records in Redis the users who are connected to
// this server. Redis combines the records of all servers into one list for each room, which the Presence sends
// to the connections that join.
//
//	present := presence.New(store, presence.Options{Log: log, Encode: encode})
//	go present.Run(ctx)
//	present.Join("lobby", streams.Arrival{User: user, NamedAt: now}, access, listener)
//	defer present.Leave("lobby", user.ID)
//
// Changes are batched: a room is updated at most twice a second, and a user who reconnects within
// Options.LeaveGrace remains present. If a server's heartbeats stop, another server removes its users.
//
// All methods are safe for concurrent use.
package presence
