// Package presence knows who is in which room. A [Presence] records the people who are connected to this
// server in Redis, where the records of all servers add up to one list for each room, and sends that list to
// the connections that join.
//
//	present := presence.New(store, presence.Options{Log: log, Encode: encode})
//	go present.Run(ctx)
//	present.Join("lobby", streams.Arrival{User: user, NamedAt: now}, access, listener)
//	defer present.Leave("lobby", user.ID)
//
// Changes are batched: a room is updated at most twice a second, and a user who is back within
// Options.LeaveGrace never left. A server whose heartbeats stop counts as dead, and any other server removes its
// people.
//
// All methods are safe for concurrent use.
package presence
