// Package bots contains the clients of a chaos run, and records what they observe.
//
// An [Author] sends messages, and retries each one with the same key until it is confirmed. A
// [Follower] reads rooms over WebSocket, server-sent events or NDJSON. It keeps a cursor for
// each room, and resumes there whenever its connection ends. In a reconnect storm, thousands of
// clients resume at once. All of them use app/client and share no code with the server.
//
// The clients of a phase share an [Environment], which has the addresses of the servers. They
// add to its [Record], and package check checks its [Record.Evidence]. Bots do not connect to
// Redis, and learn about faults only when all of them are repaired.
package bots
