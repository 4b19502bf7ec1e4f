// Package chat is the one gate to the store: everything that a client reads or writes goes
// through a [Service], which passes the user to the store with every call. No other package of
// the server holds the store, so whether a user may read or write a room is decided in one place,
// streams.Access.
//
//	service := chat.New(store, chat.Options{Log: log, MessageRate: 5})
//	go service.Run(ctx)
//	stored, err := service.Append(user, "lobby", entry)
//	reader, err := service.Follow(user, "lobby", streams.After(cursor), ready)
//
// It also keeps what belongs to users rather than to connections: the rates of their messages and
// signals, who is in which room through this server, and the searches that are running.
//
// All methods may be called from many goroutines at once. Errors are *protocol.Error, or the
// store's; protocol.AsError makes both presentable.
package chat
