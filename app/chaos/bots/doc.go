// Package bots has the clients that talk while faults happen, and records what they observe.
//
// An [Author] sends messages and repeats each one under its key until it is answered. A
// [Follower] reads rooms over WebSocket, server-sent events or NDJSON, keeps a cursor in each,
// and resumes there whenever its connection ends. A reconnect storm is very many clients
// that resume at once. All of them use app/client and share no code with the server.
//
// The clients of a phase share a [Scene], which has the addresses of the servers. They add to its
// [Record], whose [Record.Evidence] package check judges. A bot sees nothing of Redis, and
// knows of faults only when they are all repaired.
package bots
