// Package chat gives users access to rooms. Every read and write of a client goes through a
// [Service], which passes the user to the store with each call. Package main opens the store, and no
// other package reads or writes rooms with it, so a single place, streams.Access, decides whether a
// user may read or write a room.
//
//	service := chat.New(store, chat.Options{Log: log, MessageRate: 5})
//	go service.Run(ctx)
//	stored, err := service.Append(user, address, "lobby", entry)
//	reader, err := service.Follow(user, "lobby", streams.After(cursor), ready)
//
// A Service also has the state of users that is independent of their connections: message and signal
// rates, their [presence.Presence] on this server, and running searches.
//
// All methods are safe for concurrent use. They return a *protocol.Error or an error from package
// streams. protocol.AsError converts both to the error that a client sees.
package chat
